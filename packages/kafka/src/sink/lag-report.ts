import type { PartitionId, Position } from '@eos/core';
import type { TransactionalProducer } from '../client/client.js';
import type { Settings } from './options.js';

/** Tells the usual tools how far the pipeline is, in the transactions that move it. */
export interface LagReport {
  /** Adds the offset to the open transaction, where the last report of the partition is old enough. */
  report(producer: TransactionalProducer, partition: PartitionId, position: Position): Promise<void>;
}

const TOPIC_PARTITION = /^(.+)\/(\d{1,9})$/;

export function lagReport(settings: Settings<unknown>['reportOffsets']): LagReport | undefined {
  if (settings === undefined) return undefined;
  const { groupId, intervalMs } = settings;
  const reportedAt = new Map<PartitionId, number>();
  return {
    async report(producer, partition, { offset }) {
      const [, topic, number] = TOPIC_PARTITION.exec(partition) ?? [];
      const now = performance.now();
      const isDue = now - (reportedAt.get(partition) ?? -Infinity) >= intervalMs;
      if (topic === undefined || offset === null || !isDue) return;
      reportedAt.set(partition, now);
      await producer.sendOffsets({ groupId, offsets: [{ topic, partition: Number(number), offset }] });
    },
  };
}
