/** The records of the benchmarks: JSON of 110 bytes, by its id as the key. */
import { iterableSource, pipeline, rowSchema, t, type Entry, type Source } from '@eos/core';
import { bytes, kafkaSink, type RecordInput } from '@eos/kafka';

export const RECORD_BYTES = 110;

/** What a record is as a row. */
export const recordSchema = rowSchema({
  id: t.int64(),
  name: t.string(),
  price: t.float64(),
  stock: t.int32(),
  note: t.string(),
});

/** Ids go round after that many, so that upserts meet keys that are there. */
const KEYS = 1_000_000;

export function recordOf(index: number): RecordInput {
  const id = index % KEYS;
  const head = `{"id":${id},"name":"item ${id % 1000}","price":${(id % 9_999) / 4},"stock":${index % 500},"note":"`;
  return { key: String(id), value: `${head}${'x'.repeat(Math.max(0, RECORD_BYTES - 2 - head.length))}"}` };
}

/** Any number of them, each made when it is read. */
export function recordSource(count: number): Source<RecordInput> {
  return iterableSource({ replayable: true, open: (from) => generate(Number(from ?? 0n), count) });
}

const BATCH_RECORDS = 5_000;

function* generate(from: number, count: number): Generator<Entry<RecordInput>[]> {
  for (let start = from; start < count; start += BATCH_RECORDS) {
    const size = Math.min(BATCH_RECORDS, count - start);
    yield Array.from({ length: size }, (_, index) => ({
      offset: BigInt(start + index),
      row: recordOf(start + index),
    }));
  }
}

export async function fillTopic(to: {
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly records: number;
}): Promise<void> {
  await pipeline({
    id: `fill-${to.topic}`,
    source: recordSource(to.records),
    sinks: {
      topic: kafkaSink({ connection: { brokers: [...to.brokers] }, topic: to.topic, format: bytes() }),
    },
    trigger: { rows: 50_000, bytes: Infinity, intervalMs: 10_000 },
  }).run({ signals: [] });
}
