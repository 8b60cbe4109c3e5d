/** What an offset of a topic counts in, and whether a topic is still that one. */
import { createHash } from 'node:crypto';
import { EosError, type SourceIdentity } from '@eos/core';
import { bytesAt, type LogBatch } from '../client/records.js';

/** The topic that a partition belongs to. */
export interface TopicPlace {
  /** Null where the brokers give none. */
  readonly clusterId: string | null;
  readonly topic: string;
  readonly topicId: string;
}

/** A record that was read, to be found again at its offset. */
export interface RecordMark {
  readonly offset: bigint;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  /** 32 hexadecimal digits of the SHA-256 of key and value. */
  readonly checksum: string;
}

/** What is kept of the log before an offset. */
export interface LogMark {
  /** Epoch of the leader that wrote the batch before the offset; -1: not known. */
  readonly leaderEpoch: number;
  readonly record: RecordMark | undefined;
}

export const NO_MARK: LogMark = { leaderEpoch: -1, record: undefined };

/** The identity that a commit stores. */
export function identityOf(
  { clusterId, topic, topicId }: TopicPlace,
  { leaderEpoch, record }: LogMark,
): SourceIdentity {
  return {
    kind: 'kafka',
    cluster: clusterId,
    topic,
    topicId,
    leaderEpoch,
    ...(record === undefined
      ? {}
      : {
          record: {
            offset: record.offset.toString(),
            timestamp: record.timestamp,
            checksum: record.checksum,
          },
        }),
  };
}

/**
 * Reads what {@link identityOf} made, after checking that it is of this topic.
 * @throws EOS_SOURCE_CHANGED
 */
export function judgeIdentity(stored: SourceIdentity, place: TopicPlace, partition: string): LogMark {
  const { kind, cluster, topic, topicId } = stored;
  if (kind !== 'kafka') {
    throw changed(
      partition,
      `the stored position counts in ${JSON.stringify(kind)}, not in a topic of Kafka`,
    );
  }
  if (cluster !== place.clusterId) {
    throw changed(
      partition,
      `the stored position is of cluster ${shown(cluster)}, and this is ${shown(place.clusterId)}`,
    );
  }
  if (topic !== place.topic) {
    throw changed(partition, `the stored position is of topic ${shown(topic)}`);
  }
  if (topicId !== place.topicId) {
    const problem = `topic ${place.topic} was deleted and made again since (its id was ${shown(topicId)}, and is ${place.topicId})`;
    throw changed(partition, problem);
  }
  return markOf(stored, partition);
}

function markOf(stored: SourceIdentity, partition: string): LogMark {
  const { leaderEpoch, record } = stored;
  const epoch = typeof leaderEpoch === 'number' ? leaderEpoch : -1;
  if (record === undefined) return { leaderEpoch: epoch, record: undefined };
  if (typeof record === 'object' && record !== null && 'offset' in record) {
    const { offset, timestamp, checksum } = record;
    const isOffset = typeof offset === 'string' && /^\d{1,19}$/.test(offset);
    if (isOffset && typeof timestamp === 'number' && typeof checksum === 'string') {
      return { leaderEpoch: epoch, record: { offset: BigInt(offset), timestamp, checksum } };
    }
  }
  throw new EosError(
    'EOS_FORMAT',
    `partition ${partition}: the stored identity of the topic cannot be read`,
    {
      details: { partition },
    },
  );
}

/** The mark of record `index` of a batch. */
export function recordMark({ baseOffset, records }: LogBatch, index: number): RecordMark {
  const [key, value] = [bytesAt(records.keys, index), bytesAt(records.values, index)];
  const hash = createHash('sha256');
  // Lengths before bytes, and null apart from empty: no two records have the same text.
  hash.update(`${key?.length ?? -1} ${value?.length ?? -1} `);
  if (key !== null) hash.update(key);
  if (value !== null) hash.update(value);
  return {
    offset: baseOffset + BigInt(records.offsetDeltas[index] ?? 0),
    timestamp: records.timestamps[index] ?? 0,
    checksum: hash.digest('hex').slice(0, 32),
  };
}

/** The error of a source that is not the one that a stored position counts in. */
export function changed(
  partition: string,
  problem: string,
  details: Readonly<Record<string, unknown>> = {},
): EosError {
  const advice =
    'Reading on would lose or double rows: restore the topic, or reset the position and the target together';
  return new EosError('EOS_SOURCE_CHANGED', `partition ${partition}: ${problem}. ${advice}`, {
    details: { partition, ...details },
  });
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}
