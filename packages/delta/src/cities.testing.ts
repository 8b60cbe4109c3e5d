/** Tables of two columns, made and filled through the port, for tests of the log. */
import { rowSchema, t, type Sink, type SinkContext, type SinkSession } from '@eos/core';
import { memoryBucket, memoryObjectStore, type MemoryBucket, type ObjectStore } from '@eos/object-store';
import { deltaSink, type DeltaSinkOptions } from './index.js';

export const citySchema = rowSchema({ id: t.int64(), city: t.string().nullable() });

export interface CityRow {
  readonly id: bigint;
  readonly city?: string | null;
}

export const TABLE_PREFIX = 'table/';

export async function openCities(
  store: ObjectStore,
  context: Partial<SinkContext> = {},
  options: Partial<DeltaSinkOptions> = {},
): Promise<Sink<CityRow>> {
  const connector = deltaSink<CityRow>({ store, path: 'table', schema: citySchema, ...options });
  return await connector.open({ pipeline: 'pipeline', sink: 'sink', ...context });
}

/** Commits rows with the ids from the position on. */
export async function commitCities(session: SinkSession<CityRow>, count = 1): Promise<void> {
  const transaction = await prepareCities(session, count);
  await transaction.commit();
}

export async function prepareCities(session: SinkSession<CityRow>, count = 1) {
  const start = session.positions.get('0')?.offset ?? 0n;
  const end = start + BigInt(count);
  const transaction = await session.begin();
  const rows = Array.from({ length: count }, (_, index) => ({ id: start + BigInt(index), city: 'Bonn' }));
  await transaction.write({ partition: '0', rows });
  await transaction.prepare();
  const from = new Map(session.positions);
  const to = new Map([['0', { offset: end, source: { kind: 'test', offset: end.toString() } }]]);
  return { id: transaction.id, commit: () => transaction.commit({ from, to }) };
}

/** A store in memory whose objects can be made old. */
export function agingStore(): { store: ObjectStore; bucket: MemoryBucket; age: (days: number) => void } {
  const bucket = memoryBucket();
  return {
    store: memoryObjectStore(bucket),
    bucket,
    age(days) {
      for (const [key, object] of bucket.objects) {
        const lastModified = new Date(object.lastModified.getTime() - days * 86_400_000);
        bucket.objects.set(key, { ...object, lastModified });
      }
    },
  };
}

/** The names in the log, in order. */
export function logNames({ objects }: MemoryBucket): string[] {
  const prefix = `${TABLE_PREFIX}_delta_log/`;
  const names = [...objects.keys()].filter((key) => key.startsWith(prefix));
  return names.map((key) => key.slice(prefix.length).replace(/^0+(?=\d)/, '')).sort(byNumber);
}

function byNumber(left: string, right: string): number {
  return Number.parseInt(left, 10) - Number.parseInt(right, 10) || (left < right ? -1 : 1);
}
