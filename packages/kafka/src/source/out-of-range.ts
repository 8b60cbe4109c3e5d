import { EosError } from '@eos/core';
import type { Cluster } from '../client/cluster.js';
import { listOffsets } from './list-offsets.js';
import type { PartitionCursor } from './partition-cursor.js';
import { changed } from './topic-identity.js';

/**
 * A broker says that there is no such offset. Nothing is ever reset: where records are gone that were not read, or the log ends before
 * what was read, going on would lose or double rows. Returns where the offset is in range after all: a leader that has just changed may
 * not know the end of its log yet.
 * @throws EOS_SOURCE_CHANGED
 */
export async function judgeOutOfRange(cluster: Cluster, cursor: PartitionCursor): Promise<void> {
  const { place, partition, name, next } = cursor;
  const wanted = [{ topic: place.topic, partition }];
  const [earliest] = await listOffsets(cluster, wanted, 'earliest');
  const [latest] = await listOffsets(cluster, wanted, 'latest');
  if (earliest !== undefined) judgeStart(cursor, name, earliest.offset);
  if (latest !== undefined && next > latest.offset) throw beyondEnd(name, next, latest.offset);
}

function judgeStart(cursor: PartitionCursor, name: string, earliest: bigint): void {
  const { next, isFresh } = cursor;
  if (next >= earliest) return;
  if (!isFresh) throw beforeStart(name, next, earliest);
  const message = `partition ${name}: its oldest records, from offset ${next.toString()}, were deleted before they could be read`;
  throw new EosError('EOS_SOURCE_UNAVAILABLE', message, { retryable: true, details: { partition: name } });
}

/** Records that were not read are gone. */
export function beforeStart(name: string, offset: bigint, earliest: bigint): EosError {
  const problem =
    `records from offset ${offset.toString()} to ${(earliest - 1n).toString()} were deleted before they were read ` +
    '(retention, or somebody deleted records)';
  return changed(name, problem, { offset, earliest });
}

/** The log ends before what was read. */
export function beyondEnd(name: string, offset: bigint, latest: bigint): EosError {
  const problem =
    `records up to offset ${offset.toString()} were read, and the log ends at ${latest.toString()} now: it lost its end ` +
    '(unclean leader election, or a restored disk)';
  return changed(name, problem, { offset, latest });
}
