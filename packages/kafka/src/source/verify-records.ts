/** Whether the records that were read last are still where they were: a log that was restored from elsewhere has others there. */
import { partitionError, type Cluster } from '../client/cluster.js';
import { groupBy } from '../client/group-by.js';
import { retried } from '../client/retry.js';
import { readBatches } from '../client/wire/batch-reader.js';
import { errorName } from '../client/wire/error-codes.js';
import { fetchApi, type FetchedPartition } from '../client/wire/fetch.js';
import type { OpenPartition } from './open-partitions.js';
import type { PartitionCursor } from './partition-cursor.js';
import { changed, recordMark, type RecordMark } from './topic-identity.js';

interface Wanted {
  readonly cursor: PartitionCursor;
  readonly record: RecordMark;
}

/** A record batch that is larger is asked for by itself: it comes whole when it is the first. */
const PARTITION_BYTES = 16 * 1024;
const REQUEST_BYTES = 1024 * 1024;

/**
 * Looks at the record that each stored position remembers. One that is gone, by retention or compaction, says nothing.
 * @throws EOS_SOURCE_CHANGED where another record is in its place
 */
export async function verifyRecords(
  cluster: Cluster,
  partitions: readonly OpenPartition[],
  earliest: ReadonlyMap<string, bigint>,
): Promise<void> {
  let wanted = partitions.flatMap(({ cursor, mark }): Wanted[] => {
    const { record } = mark;
    return record === undefined || record.offset < (earliest.get(cursor.name) ?? 0n)
      ? []
      : [{ cursor, record }];
  });
  // Most batches are small enough to come side by side; what is left is asked for one by one, since the first comes whole.
  for (let most = Infinity; wanted.length > 0; most = 1) wanted = await verifySome(cluster, wanted, most);
}

/** Those that are still to be verified; at most `most` of each broker are looked at. */
async function verifySome(cluster: Cluster, wanted: readonly Wanted[], most: number): Promise<Wanted[]> {
  const onRetry = () => wanted.forEach(({ cursor }) => cluster.forgetTopic(cursor.place.topic));
  return await retried({ timeoutMs: cluster.timeoutMs, onRetry }, async () => {
    const placed = await Promise.all(
      wanted.map(async (one) => ({
        ...one,
        node: await cluster.leader(one.cursor.place.topic, one.cursor.partition),
      })),
    );
    const rest = await Promise.all(
      [...groupBy(placed, ({ node }) => node)].map(async ([node, led]) => {
        const fetched = await fetchSome(cluster, node, led.slice(0, most));
        return led.filter((one) => !isVerified(one, fetched.get(keyOf(one.cursor))));
      }),
    );
    return rest.flat();
  });
}

async function fetchSome(
  cluster: Cluster,
  node: number,
  wanted: readonly Wanted[],
): Promise<ReadonlyMap<string, FetchedPartition>> {
  const { error, partitions } = await cluster.request({ node, lane: 'log' }, fetchApi, {
    maxWaitMs: 0,
    minBytes: 0,
    maxBytes: REQUEST_BYTES,
    isolation: 'uncommitted',
    topics: [...groupBy(wanted, ({ cursor }) => cursor.place.topicId)].map(([topicId, some]) => ({
      topicId,
      partitions: some.map(({ cursor, record }) => ({
        partition: cursor.partition,
        offset: record.offset,
        maxBytes: PARTITION_BYTES,
      })),
    })),
  });
  const [first] = wanted;
  const name = errorName(error);
  if (name !== undefined && first !== undefined)
    throw partitionError(name, first.cursor.place.topic, first.cursor.partition);
  return new Map(partitions.map((found) => [`${found.topicId} ${found.partition}`, found]));
}

const keyOf = ({ place, partition }: PartitionCursor) => `${place.topicId} ${partition}`;

function isVerified({ cursor, record }: Wanted, fetched: FetchedPartition | undefined): boolean {
  if (fetched === undefined) return false;
  const error = errorName(fetched.error);
  // Deleted in the meantime: the fetch that follows judges that.
  if (error === 'OFFSET_OUT_OF_RANGE') return true;
  if (error !== undefined) throw partitionError(error, cursor.place.topic, cursor.partition);
  const [batch] = readBatches(fetched.records);
  if (batch === undefined) return fetched.highWatermark <= record.offset;
  const delta = Number(record.offset - batch.baseOffset);
  const index = batch.records.offsetDeltas.indexOf(delta);
  if (index === -1) return true;
  const found = recordMark(batch, index);
  if (found.timestamp === record.timestamp && found.checksum === record.checksum) return true;
  const problem = `the record at offset ${record.offset.toString()} is not the one that was read there: the log is another one`;
  throw changed(cursor.name, problem, { offset: record.offset });
}
