/** What is known of replays: which letters of a pipeline and sink are in the destination. */
import { EosError, type SinkContext } from '@eos/core';
import type { Link } from '../connection/connection.js';
import { literal } from '../connection/identifiers.js';

/** The partition of the record that a replay keeps. */
export const REPLAY_PARTITION = 'dead letters';

const SUFFIX = '.dead-letters';

const LONGEST_ID = 128;

/**
 * Replays have a record of their own, so that the pipeline that goes on meanwhile is not disturbed. What lies below its offset is in
 * the destination, whether or not a replay has lived to mark it.
 */
export function recordOf({ pipeline, sink }: SinkContext): SinkContext {
  return { pipeline: pipeline + SUFFIX, sink };
}

/** @throws EOS_CONFIG for a pipeline whose letters could be written, but never replayed */
export function checkReplayable({ pipeline }: SinkContext): void {
  const longest = LONGEST_ID - SUFFIX.length;
  if (pipeline.length <= longest) return;
  const problem = `takes a pipeline id of at most ${longest} characters, since replays run as <pipeline>${SUFFIX}`;
  throw new EosError('EOS_CONFIG', `badRows: 'dead-letter' ${problem}: this one has ${pipeline.length}`, {
    details: { option: 'badRows' },
  });
}

/** SQL: the first number of a letter, `replay_offset`, that no replay has committed. */
export function nextOffset(context: SinkContext): string {
  const { pipeline, sink } = recordOf(context);
  return `(SELECT coalesce(max(p.next_offset), 0) FROM eos.positions p WHERE p.pipeline = ${literal(pipeline)}
    AND p.sink = ${literal(sink)} AND p.partition = ${literal(REPLAY_PARTITION)})`;
}

/** SQL: whether a letter `l` is of this pipeline and sink. */
export function isOf({ pipeline, sink }: SinkContext): string {
  return `l.pipeline = ${literal(pipeline)} AND l.sink = ${literal(sink)}`;
}

/** SQL: whether the row of a letter `l` is in the destination. Marked are those of the replays that have ended; a killed one leaves its position. */
export function isReplayed(context: SinkContext): string {
  return `(l.replayed_at IS NOT NULL OR coalesce(l.replay_offset < ${nextOffset(context)}, false))`;
}

/** Neither the table nor the schema need be there where no row was ever set aside. */
export async function hasLetters(link: Link, sql: string): Promise<boolean> {
  const [answer] = await link.run(
    `SELECT FROM (VALUES (1)) v WHERE pg_catalog.to_regclass(${literal(sql)}) IS NOT NULL AND pg_catalog.to_regclass('eos.positions') IS NOT NULL`,
  );
  return (answer?.rows.length ?? 0) > 0;
}
