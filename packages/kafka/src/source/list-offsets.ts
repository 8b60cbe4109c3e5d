/** Where the logs of partitions begin and end. */
import { partitionError, type Cluster } from '../client/cluster.js';
import { groupBy } from '../client/group-by.js';
import { retried } from '../client/retry.js';
import { errorName } from '../client/wire/error-codes.js';
import { listOffsetsApi, OFFSET_AT, type ListedOffset } from '../client/wire/list-offsets.js';

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/**
 * The first offset that is still there, or the high watermark. What may pass is tried again.
 * @throws {KafkaClientError}
 */
export async function listOffsets(
  cluster: Cluster,
  wanted: readonly TopicPartition[],
  at: 'earliest' | 'latest',
): Promise<readonly ListedOffset[]> {
  const topics = new Set(wanted.map(({ topic }) => topic));
  const onRetry = () => topics.forEach((topic) => cluster.forgetTopic(topic));
  return await retried({ timeoutMs: cluster.timeoutMs, onRetry }, async () => {
    const placed = await Promise.all(
      wanted.map(async (one) => ({ ...one, node: await cluster.leader(one.topic, one.partition) })),
    );
    const byNode = groupBy(placed, ({ node }) => node);
    const listed = await Promise.all([...byNode].map(([node, led]) => listAt(cluster, node, led, at)));
    return listed.flat();
  });
}

async function listAt(
  cluster: Cluster,
  node: number,
  led: readonly TopicPartition[],
  at: 'earliest' | 'latest',
): Promise<readonly ListedOffset[]> {
  const topics = [...groupBy(led, ({ topic }) => topic)].map(([topic, partitions]) => ({
    topic,
    partitions: partitions.map(({ partition }) => partition),
  }));
  const request = { isolation: 'uncommitted', at: OFFSET_AT[at], topics } as const;
  const listed = await cluster.request({ node }, listOffsetsApi, request);
  for (const { error, topic, partition } of listed) {
    const name = errorName(error);
    if (name !== undefined) throw partitionError(name, topic, partition);
  }
  return listed;
}
