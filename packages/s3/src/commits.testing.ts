/** Tables to test with: made by the sink itself, commit by commit. */
import {
  type Columns,
  type RowInput,
  type RowSchema,
  type Sink,
  type SinkSession,
  type SinkTransaction,
  rowSchema,
  t,
} from '@eos/core';
import { memoryBucket, memoryObjectStore, type ObjectStore } from '@eos/object-store';
import { s3Sink } from './index.js';
import type { S3SinkOptions } from './options.js';

export const flights = rowSchema({
  id: t.int64(),
  origin: t.string(),
  delay: t.int32().nullable(),
});
export type Flight = RowInput<typeof flights>;

export const PREFIX = 'tables/flights/';
export const SOURCE = { kind: 'test' };

/** Random tests name it in their title; `EOS_TEST_SEED` repeats them. */
export const seed = Number(process.env['EOS_TEST_SEED'] ?? Date.now() % 2 ** 31);

export function testStore(): ObjectStore {
  return memoryObjectStore(memoryBucket());
}

/** A writer of one partition, that commits what it is given at once. */
export class Writer<C extends Columns = (typeof flights)['columns']> {
  private constructor(
    private readonly sink: Sink<RowInput<RowSchema<C>>>,
    readonly session: SinkSession<RowInput<RowSchema<C>>>,
    private readonly partition: string,
  ) {}

  static async open<C extends Columns>(
    options: S3SinkOptions<C>,
    { pipeline = 'test', sink = 'files', partition = '0' } = {},
  ): Promise<Writer<C>> {
    const opened = await s3Sink<C>(options).open({ pipeline, sink });
    return new Writer<C>(opened, await opened.recover([partition]), partition);
  }

  /** A transaction with these rows, written and prepared. */
  async prepared(rows: readonly RowInput<RowSchema<C>>[], ops?: readonly number[]) {
    const transaction = await this.session.begin();
    if (rows.length > 0) {
      const changes = ops === undefined ? {} : { ops: Uint8Array.from(ops) };
      await transaction.write({ partition: this.partition, rows, ...changes });
    }
    await transaction.prepare();
    return { transaction, commit: () => this.#commit(transaction, rows.length) };
  }

  async commit(rows: readonly RowInput<RowSchema<C>>[], ops?: readonly number[]): Promise<void> {
    const { commit } = await this.prepared(rows, ops);
    await commit();
  }

  async #commit(transaction: SinkTransaction<RowInput<RowSchema<C>>>, count: number): Promise<void> {
    const { partition } = this;
    const from = this.session.positions;
    const offset = (from.get(partition)?.offset ?? 0n) + BigInt(Math.max(1, count));
    await transaction.commit({ from, to: new Map([[partition, { offset, source: SOURCE }]]) });
  }

  async close(): Promise<void> {
    await this.sink.close();
  }
}

/** Rows `from` … `to - 1`. */
export function flightsOf(from: number, to: number): Flight[] {
  return Array.from({ length: to - from }, (_, index) => ({
    id: BigInt(from + index),
    origin: `airport ${(from + index) % 7}`,
    delay: (from + index) % 3 === 0 ? null : from + index,
  }));
}
