import {
  isRetraction,
  Op,
  pipeline,
  rowSchema,
  rowText,
  t,
  type Position,
  type Positions,
  type Source,
  type SourceBatch,
} from '@eos/core';
import { memoryBucket, memoryObjectStore, type ObjectStore } from '@eos/object-store';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { deltaSink, deltaSource, DeltaTable, type DeltaSinkOptions } from '../index.js';
import { seed } from '../random.testing.js';

const schema = rowSchema({ id: t.int64(), name: t.string().nullable() });
interface Row {
  readonly id: bigint;
  readonly name?: string | null;
}
type Change = readonly [op: number, row: Row];

async function writerOf(store: ObjectStore, options: Partial<DeltaSinkOptions> = {}) {
  const sink = await deltaSink({ store, schema, mode: 'upsert', key: ['id'], ...options }).open({
    pipeline: 'p',
    sink: 's',
  });
  const session = await sink.recover(['0']);
  return async (changes: readonly Change[]) => {
    const transaction = await session.begin();
    const rows = changes.map(([, row]) => row);
    const ops = Uint8Array.from(changes, ([op]) => op);
    if (rows.length > 0) await transaction.write({ rows, ops, partition: '0' } as never);
    await transaction.prepare();
    const offset = (session.positions.get('0')?.offset ?? 0n) + BigInt(changes.length);
    await transaction.commit({ from: session.positions, to: new Map([['0', { offset, source: {} }]]) });
  };
}

async function batchesOf<R>(
  source: Source<R>,
  positions: Positions = new Map(),
  limit = () => 1_000,
  most = Infinity,
): Promise<SourceBatch<R>[]> {
  const batches: SourceBatch<R>[] = [];
  const { signal } = new AbortController();
  for await (const assignment of source.assignments({ pipeline: 'q', signal })) {
    const reader = await assignment.open(positions, signal);
    try {
      while (batches.length < most) {
        const batch = await reader.read({ rows: limit() });
        if (batch === undefined) break;
        batches.push(batch);
      }
    } finally {
      await reader.close();
    }
  }
  return batches;
}

async function positionBehind(batch: SourceBatch<unknown>): Promise<Positions> {
  const position: Position = {
    ...{ epoch: 1n, offset: batch.next, txId: 1n, owner: 1n, target: 't' },
    source: JSON.parse(JSON.stringify(await batch.identity())) as never,
  };
  return new Map([['0', position]]);
}

function applied(batches: readonly SourceBatch<unknown>[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { rows, ops } of batches) {
    rows.forEach((row, at) => {
      const text = rowText(row as object);
      counts.set(text, (counts.get(text) ?? 0) + (isRetraction(ops?.[at] ?? 0) ? -1 : 1));
    });
  }
  return [...counts]
    .flatMap(([text, count]) => Array.from({ length: Math.max(0, count) }, () => text))
    .sort();
}

async function tableTexts(store: ObjectStore): Promise<readonly string[]> {
  const table = await DeltaTable.open({ store });
  const texts: string[] = [];
  for await (const rows of table.rows()) texts.push(...rows.map(rowText));
  return texts.sort();
}

const change: fc.Arbitrary<Change> = fc.tuple(
  fc.constantFrom(Op.insert, Op.updateAfter, Op.delete),
  fc.record({ id: fc.nat(6).map(BigInt), name: fc.option(fc.constantFrom('a', 'b')) }),
);
const commits = fc.array(fc.array(change, { maxLength: 6 }), { minLength: 1, maxLength: 4 });
const PROPERTIES = [
  {},
  { 'delta.enableDeletionVectors': 'true' },
  { 'delta.enableChangeDataFeed': 'true' },
  { 'delta.enableChangeDataFeed': 'true', 'delta.enableDeletionVectors': 'true' },
];

describe(`a table as a source (EOS_TEST_SEED=${seed})`, () => {
  test('gives its rows and then its changes, and goes on from any of them', async () => {
    await fc.assert(
      fc.asyncProperty(
        commits,
        commits,
        fc.constantFrom(...PROPERTIES),
        fc.constantFrom(undefined, -1),
        fc.infiniteStream(fc.integer({ min: 1, max: 4 })),
        fc.nat(12),
        async (first, later, properties, after, sizes, cut) => {
          const store = memoryObjectStore();
          const write = await writerOf(store, { properties });
          for (const changes of first) await write(changes);
          const options = { store, changelog: 'retract', ...(after === undefined ? {} : { after }) } as const;
          const limit = () => Number(sizes.next().value ?? 1);
          const begun = await batchesOf(deltaSource(options), new Map(), limit, cut);
          const last = begun.at(-1);
          if (last === undefined) return;
          for (const changes of later) await write(changes);
          const rest = await batchesOf(deltaSource(options), await positionBehind(last), limit);
          expect(applied([...begun, ...rest])).toEqual(await tableTexts(store));
          const offsets = [...begun, ...rest].flatMap((batch) => [...batch.offsets]);
          expect(offsets.every((offset, at) => at === 0 || offset > (offsets[at - 1] ?? 0n))).toBe(true);
          const end = rest.at(-1) ?? last;
          expect(await batchesOf(deltaSource(options), await positionBehind(end))).toEqual([]);
        },
      ),
      { seed, numRuns: 30, endOnFailure: true },
    );
  });

  test('feeds a pipeline exactly once, through stops anywhere', async () => {
    const store = memoryObjectStore();
    const write = await writerOf(store);
    for (let version = 0; version < 6; version++)
      await write(
        Array.from({ length: 20 }, (_, index) => [
          Op.insert,
          { id: BigInt(version * 10 + index), name: `${version}` },
        ]),
      );
    const target = memoryObjectStore();
    const run = async () => {
      await pipeline({
        id: 'copy',
        source: deltaSource({ store, changelog: 'upsert', schema }),
        sinks: { copy: deltaSink({ store: target, schema, mode: 'upsert', key: ['id'] }) },
        trigger: { rows: 7 },
      }).run();
    };
    await run();
    await write([
      [Op.delete, { id: 3n }],
      [Op.updateAfter, { id: 4n, name: 'new' }],
    ]);
    await run();
    expect(await tableTexts(target)).toEqual(await tableTexts(store));
  });

  test('says how much there is to read', async () => {
    const store = memoryObjectStore();
    const write = await writerOf(store, { mode: 'append', key: undefined as never });
    const source = deltaSource({ store });
    const rows = Array.from({ length: 5 }, (_, id): Change => [Op.insert, { id: BigInt(id) }]);
    await write(rows);
    const [batch] = await batchesOf(source);
    await write(rows);
    await write(rows.slice(2));
    const lag = await source.abilities?.lag?.(await positionBehind(batch as SourceBatch<unknown>));
    expect(lag?.get('0')).toEqual({ unit: 'rows', behind: 8n, total: undefined });
  });

  test('refuses what an append-only source cannot say', async () => {
    const store = memoryObjectStore();
    const write = await writerOf(store);
    await write([[Op.insert, { id: 1n }]]);
    const [batch] = await batchesOf(deltaSource({ store }));
    await write([[Op.delete, { id: 1n }]]);
    await expect(
      batchesOf(deltaSource({ store }), await positionBehind(batch as SourceBatch<unknown>)),
    ).rejects.toMatchObject({
      code: 'EOS_CONFIG',
      details: { option: 'changelog' },
    });
  });

  test('waits for what comes', async () => {
    const store = memoryObjectStore();
    const write = await writerOf(store);
    const source = deltaSource({ store, follow: true, pollMs: 1, changelog: 'retract', after: -1 });
    const { signal } = new AbortController();
    for await (const assignment of source.assignments({ pipeline: 'q', signal })) {
      const reader = await assignment.open(new Map(), signal);
      const next = reader.read({ rows: 10 });
      await write([[Op.insert, { id: 1n }]]);
      expect((await next)?.rows).toEqual([{ id: 1n, name: null }]);
      const pending = reader.read({ rows: 10 });
      await reader.close();
      await expect(pending).rejects.toMatchObject({ code: 'EOS_CLOSED' });
    }
  });

  test('tells a table that went back, or was made again', async () => {
    const bucket = memoryBucket();
    const store = memoryObjectStore(bucket);
    const write = await writerOf(store);
    await write([[Op.insert, { id: 1n }]]);
    const saved = new Map(bucket.objects);
    const restore = (): void => {
      bucket.objects.clear();
      for (const [key, object] of saved) bucket.objects.set(key, object);
    };
    await write([[Op.insert, { id: 2n }]]);
    const source = deltaSource({ store, changelog: 'retract' });
    const [batch] = await batchesOf(source);
    const behind = await positionBehind(batch as SourceBatch<unknown>);
    restore();
    await expect(batchesOf(source, behind)).rejects.toMatchObject({ code: 'EOS_SOURCE_CHANGED' });
    await (
      await writerOf(store)
    )([[Op.insert, { id: 3n }]]);
    await expect(batchesOf(source, behind)).rejects.toMatchObject({ code: 'EOS_SOURCE_CHANGED' });
    bucket.objects.clear();
    const again = await writerOf(store);
    for (let count = 0; count < 5; count++) await again([[Op.insert, { id: 1n }]]);
    await expect(batchesOf(source, behind)).rejects.toMatchObject({ code: 'EOS_SOURCE_CHANGED' });
  });
});
