import type { FetchedLog, LogReader } from './client.js';
import { partitionError, type Cluster } from './cluster.js';
import { retried } from './retry.js';
import { readBatches } from './wire/batch-reader.js';
import { errorName } from './wire/error-codes.js';
import { fetchApi } from './wire/fetch.js';
import { NO_TOPIC_ID } from './wire/metadata.js';

const DEFAULT_BYTES = 4 * 1024 * 1024;

export function logReader(cluster: Cluster): LogReader {
  return {
    async fetch({ topic, partition, offset, maxBytes = DEFAULT_BYTES, maxWaitMs = 0 }): Promise<FetchedLog> {
      const onRetry = () => cluster.forgetTopic(topic);
      return await retried({ timeoutMs: cluster.timeoutMs, onRetry }, async () => {
        const node = await cluster.leader(topic, partition);
        const [metadata] = await cluster.topics([topic]);
        const { error, partitions } = await cluster.ask({ node, lane: 'log' }, fetchApi, {
          maxWaitMs,
          minBytes: 1,
          maxBytes,
          isolation: 'uncommitted',
          topics: [{ topicId: metadata?.id ?? NO_TOPIC_ID, partitions: [{ partition, offset, maxBytes }] }],
        });
        const [fetched] = partitions;
        const name = errorName(error) ?? (fetched === undefined ? undefined : errorName(fetched.error));
        if (name !== undefined || fetched === undefined)
          throw partitionError(name ?? 'UNKNOWN_TOPIC_OR_PARTITION', topic, partition);
        const { highWatermark, lastStableOffset, logStartOffset, records } = fetched;
        const batches = readBatches(records);
        const last = batches.at(-1);
        const nextOffset = last === undefined ? offset : last.lastOffset + 1n;
        return { highWatermark, lastStableOffset, logStartOffset, batches, nextOffset };
      });
    },
  };
}
