/** What the database knows of a sink, read without making or locking anything. */
import type { PartitionId, PartitionStatus, SinkContext, SinkStatus } from '@eos/core';
import { readPositions } from './claim.js';
import { KEPT_EPOCHS } from './commit-function.js';
import { openLink, type Link, type TextRow } from '../connection/connection.js';
import { mapError } from '../connection/error-map.js';
import { literal } from '../connection/identifiers.js';
import type { Settings } from '../options.js';

/** @throws EOS_UNAVAILABLE, EOS_PERMISSION, EOS_FORMAT */
export async function readStatus(settings: Settings, context: SinkContext): Promise<SinkStatus> {
  const link = await openLink(settings, 'eos status');
  try {
    await link.run('SET default_transaction_read_only = on');
    const [there] = await link.run(`SELECT FROM pg_catalog.pg_class c
      WHERE c.relnamespace = pg_catalog.to_regnamespace('eos') AND c.relname IN ('claims', 'positions')`);
    return there?.rows.length === 2 ? await read(link, context) : new Map();
  } catch (error) {
    throw mapError(error);
  } finally {
    await link.close();
  }
}

async function read(link: Link, context: SinkContext): Promise<SinkStatus> {
  const positions = await readPositions(link, context);
  const [answer] = await link.run(activityQuery(context));
  const activities = new Map(answer?.rows.map((row) => [String(row[0]), readActivity(row)]));
  const read = [...positions].map(([partition, position]): [PartitionId, PartitionStatus] => [
    partition,
    { position, ...activities.get(partition) },
  ]);
  return new Map(read);
}

/** Beside each claim: the commits that are kept of it, oldest and newest, and whether a connection of its owner lives. */
function activityQuery({ pipeline, sink }: SinkContext): string {
  return `
    SELECT c.partition, newest.at, oldest.at, oldest.next_offset, oldest.epoch,
      EXISTS (SELECT FROM pg_catalog.jsonb_to_recordset(c.backends) AS b(pid int, "startedAt" text)
        JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) b.pid AND a.backend_start::text = b."startedAt")
    FROM eos.claims c
      LEFT JOIN LATERAL (${keptCommit('DESC')}) newest ON true
      -- Not from the beginning, where an old snapshot keeps an entry of every commit since.
      LEFT JOIN LATERAL (${keptCommit('ASC', `newest.epoch - ${KEPT_EPOCHS}`)}) oldest ON true
    WHERE c.pipeline = ${literal(pipeline)} AND c.sink = ${literal(sink)}`;
}

/** A table that an early version made has no such column. */
function keptCommit(order: 'ASC' | 'DESC', above = '-1'): string {
  return `
    SELECT p.next_offset, p.epoch, pg_catalog.to_jsonb(p) ->> 'committed_at' AS at FROM eos.positions p
    WHERE p.pipeline = c.pipeline AND p.sink = c.sink AND p.partition = c.partition AND p.epoch > ${above}
    ORDER BY p.epoch ${order} LIMIT 1`;
}

function readActivity(row: TextRow): Omit<PartitionStatus, 'position'> {
  const [, newest, oldest, offset, epoch, isConnected] = row;
  return {
    isConnected: isConnected === 't',
    ...(newest == null ? {} : { committedAt: new Date(newest) }),
    ...(oldest == null || offset == null || epoch == null
      ? {}
      : { earlier: { committedAt: new Date(oldest), offset: BigInt(offset), epoch: BigInt(epoch) } }),
  };
}
