/** Rows that are numbers, from a topic that need not be read, to a topic that can be checked. */
import { randomBytes } from 'node:crypto';
import {
  isEosError,
  rowSchema,
  type EosError,
  t,
  type Positions,
  type ReadLimit,
  type Source,
  type SourceBatch,
  type SourceReader,
} from '@eos/core';
import type { KafkaClient } from './client/client.js';
import { openClient, type KafkaConnection } from './client/connect.js';
import { bytesAt } from './client/records.js';
import { deleteTopicsApi } from './broker-requests.testing.js';
import type { TestBroker } from './broker.testing.js';
import { committedBatches } from './committed-records.testing.js';
import { json } from './encoding/index.js';
import { kafkaSink } from './sink/kafka-sink.js';
import type { KafkaSinkOptions } from './sink/options.js';

export const numberSchema = rowSchema({ id: t.int32(), text: t.string() });

export interface NumberRow {
  id: number;
  text: string;
}

/** Topics of one test's own. */
export interface TestTopics {
  readonly client: KafkaClient;
  readonly brokers: string[];
  readonly input: string;
  readonly output: string;
  readonly positions: string;
  readonly sink: (
    connection: Partial<KafkaConnection>,
    options?: Partial<KafkaSinkOptions<NumberRow>>,
  ) => ReturnType<typeof kafkaSink<NumberRow>>;
  routedSink(
    route: NonNullable<KafkaSinkOptions<NumberRow>['route']>,
  ): ReturnType<typeof kafkaSink<NumberRow>>;
  /** The ids of all committed rows, in order of size. */
  readonly ids: () => Promise<number[]>;
  remove(...topics: string[]): Promise<void>;
  close(): Promise<void>;
}

export async function testTopics(
  broker: Pick<TestBroker, 'brokers'>,
  config: Readonly<Record<string, string>> = {},
): Promise<TestTopics> {
  const name = `numbers-${randomBytes(6).toString('hex')}`;
  const [input, output, positions] = [`${name}-in`, `${name}-out`, `${name}-positions`];
  const brokers = [...broker.brokers];
  const client = await openClient({ brokers });
  for (const topic of [input, output])
    await client.admin.createTopic({
      name: topic,
      partitions: 2,
      replicationFactor: -1,
      config: topic === output ? config : {},
    });
  const remove = async (...topics: string[]) => {
    await client.cluster.request('any', deleteTopicsApi, topics);
  };
  const common = {
    format: json({ schema: numberSchema, key: ['id'] }),
    positionsTopic: { name: positions, partitions: 2 },
  };
  return {
    client,
    brokers,
    input,
    output,
    positions,
    sink: (connection, options = {}) =>
      kafkaSink<NumberRow>({
        ...common,
        connection: { brokers, ...connection },
        topic: output,
        ...options,
      }),
    routedSink: (route) => kafkaSink<NumberRow>({ ...common, connection: { brokers }, route }),
    async ids() {
      const batches = [...(await committedBatches(client, output)).values()].flat();
      const ids = batches.flatMap(({ records }) =>
        Array.from({ length: records.count }, (_, index) => idOf(bytesAt(records.values, index))),
      );
      return ids.sort((left, right) => left - right);
    },
    remove,
    async close() {
      await remove(input, output, positions);
      await client.close();
    },
  };
}

function idOf(value: Buffer | null): number {
  const row: unknown = JSON.parse(value?.toString() ?? 'null');
  return Number(typeof row === 'object' && row !== null ? Reflect.get(row, 'id') : NaN);
}

export interface NumbersOptions {
  /** Ids from 0 up to, not including, this; the offset of a row is its id. */
  readonly count: number;
  readonly partition?: string;
  readonly batchRows?: number;
  readonly textBytes?: number;
  /** Awaited before each batch. */
  readonly onRead?: (first: number) => void | Promise<void>;
}

/** One partition of numbers. */
export function numbers({
  count,
  partition = '0',
  batchRows = 5,
  textBytes = 10,
  onRead,
}: NumbersOptions): Source<NumberRow> {
  const text = 'x'.repeat(textBytes);
  const open = async (positions: Positions): Promise<SourceReader<NumberRow>> => {
    let next = Number(positions.get(partition)?.offset ?? 0n);
    return {
      async read({ rows }: ReadLimit): Promise<SourceBatch<NumberRow> | undefined> {
        await onRead?.(next);
        if (next >= count) return undefined;
        const ids = Array.from(
          { length: Math.min(rows, batchRows, count - next) },
          (_, index) => next + index,
        );
        next += ids.length;
        return {
          partition,
          rows: ids.map((id) => ({ id, text })),
          offsets: BigInt64Array.from(ids, BigInt),
          next: BigInt(next),
          bytes: ids.length * textBytes,
          identity: async () => ({ kind: 'numbers' }),
        };
      },
      close: async () => undefined,
    };
  };
  return {
    description: 'numbers',
    changelog: 'append',
    replayable: true,
    async *assignments() {
      yield { partitions: [partition], open };
    },
  };
}

/** All numbers up to, not including, `count`. */
export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, id) => id);
}

/** The error that the work ends in. */
export async function failureOf(work: Promise<unknown>): Promise<EosError> {
  const failure = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (isEosError(failure)) return failure;
  throw new Error('the work did not fail with an EosError', { cause: failure });
}
