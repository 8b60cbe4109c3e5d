/** Where to begin in each partition, after judging that it is still the one that the stored position counts in. */
import type { Position, Positions } from '@eos/core';
import type { Cluster } from '../client/cluster.js';
import { beforeStart, beyondEnd } from './out-of-range.js';
import { listOffsets } from './list-offsets.js';
import { PartitionCursor } from './partition-cursor.js';
import type { StartOffsets } from './source-options.js';
import { judgeIdentity, NO_MARK, type LogMark, type TopicPlace } from './topic-identity.js';
import { verifyRecords } from './verify-records.js';

/** A partition to be read. */
export interface OpenPartition {
  readonly cursor: PartitionCursor;
  readonly mark: LogMark;
  readonly start: bigint;
  /** Whether where it begins is to be committed at once: found again, it would be another place. */
  readonly commitsStart: boolean;
}

/** One partition with its topic. */
export interface PartitionPlace {
  readonly place: TopicPlace;
  readonly partition: number;
  readonly name: string;
}

export interface StartOptions {
  readonly from: 'earliest' | 'latest' | StartOffsets;
  /** Whether a partition was there when this process began to read its topic. */
  readonly isOld: (partition: PartitionPlace) => boolean;
  /** Where reading ends, by the high watermark as it is now; undefined: never. */
  readonly endOf: (name: string, latest: bigint) => bigint | undefined;
  /** Whether this process itself has read up to there, and need not look whether the log is still the same. */
  readonly isVouchedFor: (name: string, offset: bigint) => boolean;
}

/**
 * @throws EOS_SOURCE_CHANGED where the topic was deleted and made again, its log was cut, or records are gone that were not read
 */
export async function openPartitions(
  cluster: Cluster,
  partitions: readonly PartitionPlace[],
  positions: Positions,
  options: StartOptions,
): Promise<readonly OpenPartition[]> {
  if (partitions.length === 0) return [];
  const wanted = partitions.map(({ place, partition }) => ({ topic: place.topic, partition }));
  const earliest = byName(await listOffsets(cluster, wanted, 'earliest'));
  const latest = byName(await listOffsets(cluster, wanted, 'latest'));
  const opened = partitions.map((partition) => {
    const { name } = partition;
    const log = { earliest: earliest.get(name) ?? 0n, latest: latest.get(name) ?? 0n };
    return openPartition(partition, positions.get(name), log, options);
  });
  await verifyRecords(
    cluster,
    opened.filter(({ start, cursor }) => !options.isVouchedFor(cursor.name, start)),
    earliest,
  );
  return opened;
}

function openPartition(
  partition: PartitionPlace,
  position: Position | undefined,
  { earliest, latest }: { readonly earliest: bigint; readonly latest: bigint },
  options: StartOptions,
): OpenPartition {
  const { place, name, partition: number } = partition;
  const end = options.endOf(name, latest);
  const offset = position?.offset ?? null;
  if (offset === null || position?.source == null) {
    const { start, commitsStart } = firstOffset(partition, earliest, latest, options);
    const cursor = new PartitionCursor(place, number, name, start, NO_MARK, end, true);
    return { cursor, mark: NO_MARK, start, commitsStart };
  }
  const mark = judgeIdentity(position.source, place, name);
  if (offset < earliest) throw beforeStart(name, offset, earliest);
  if (offset > latest) throw beyondEnd(name, offset, latest);
  const cursor = new PartitionCursor(place, number, name, offset, mark, end, false);
  return { cursor, mark, start: offset, commitsStart: false };
}

function firstOffset(
  partition: PartitionPlace,
  earliest: bigint,
  latest: bigint,
  { from, isOld }: StartOptions,
): { readonly start: bigint; readonly commitsStart: boolean } {
  if (from === 'latest' && isOld(partition)) return { start: latest, commitsStart: true };
  const given = typeof from === 'object' ? from[partition.name] : undefined;
  if (given === undefined) return { start: earliest, commitsStart: false };
  if (given < earliest) throw beforeStart(partition.name, given, earliest);
  if (given > latest) throw beyondEnd(partition.name, given, latest);
  return { start: given, commitsStart: true };
}

function byName(
  listed: readonly { readonly topic: string; readonly partition: number; readonly offset: bigint }[],
): ReadonlyMap<string, bigint> {
  return new Map(listed.map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset]));
}
