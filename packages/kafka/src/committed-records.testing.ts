/** What a reader of a topic sees: committed records, in order. Aborted ones are told by the control records, not by any client. */
import { setTimeout as delay } from 'node:timers/promises';
import type { KafkaClient } from './client/client.js';
import type { LogBatch } from './client/records.js';
import { TransactionFilter } from './positions/transaction-filter.js';

/**
 * The committed batches of each partition, in the order of their commits, as of one moment: all partitions are read again until none has a
 * new commit. A commit that is decided counts, also where the log does not show it yet: Kafka's readers would wait for it.
 */
export async function committedBatches(
  client: KafkaClient,
  topic: string,
): Promise<ReadonlyMap<number, readonly LogBatch[]>> {
  const ends = await client.admin.highWatermarks(topic);
  const logs = [...ends.keys()].map((partition) => new CommittedLog(client, topic, partition));
  for (let isOver = false; ;) {
    const before = logs.map((log) => log.state);
    await Promise.all(logs.map((log) => log.readOn()));
    const isSame = logs.every(({ state }, index) => state === before[index]);
    if (isSame && isOver) break;
    // Read again after asking: the transaction that goes on may be the one behind it.
    isOver = isSame && !(await areDecided(client, logs));
    await delay(1);
  }
  return new Map(logs.map(({ partition, committed }) => [partition, committed]));
}

class CommittedLog {
  readonly committed: LogBatch[] = [];
  readonly filter = new TransactionFilter((batch) => {
    this.committed.push(batch);
  });
  #next = 0n;

  constructor(
    private readonly client: KafkaClient,
    private readonly topic: string,
    readonly partition: number,
  ) {}

  /** Changes with what is committed, and with what is open. */
  get state(): string {
    return `${this.committed.length} ${[...this.filter.undecided.keys()].join()}`;
  }

  async readOn(): Promise<void> {
    const { client, topic, partition } = this;
    for (let end: bigint | undefined; end === undefined || this.#next < end;) {
      const fetched = await client.log.fetch({ topic, partition, offset: this.#next });
      end ??= fetched.highWatermark;
      for (const batch of fetched.batches) if (batch.lastOffset >= this.#next) this.filter.take(batch);
      this.#next = fetched.batches.length === 0 ? end : fetched.nextOffset;
    }
  }
}

/** Whether a transaction without an outcome in the log has one at its coordinator. */
async function areDecided(client: KafkaClient, logs: readonly CommittedLog[]): Promise<boolean> {
  const producerIds = new Set(logs.flatMap(({ filter }) => [...filter.undecided.keys()]));
  if (producerIds.size === 0) return false;
  const open = await client.admin.openTransactions([...producerIds]);
  const running = open.filter(({ state }) => state !== 'PrepareCommit');
  return running.length < producerIds.size;
}
