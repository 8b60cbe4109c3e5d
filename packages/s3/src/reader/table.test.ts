import { describe, expect, test } from '@jest/globals';
import {
  isRetraction,
  Op,
  rowSchema,
  t,
  type Advance,
  type InferRow,
  type Position,
  type SinkConnector,
  type SinkSession,
} from '@eos/core';
import { memoryObjectStore, type ObjectStore } from '@eos/object-store';
import fc from 'fast-check';
import { compactTable } from '../compaction/compact-table.js';
import type { FileOptions } from '../files/settings.js';
import { checkOptions } from '../options.js';
import { s3Sink } from '../sink.js';
import { vacuumTable } from '../vacuum/vacuum-table.js';
import { openTable } from './open-table.js';

const schema = rowSchema({ id: t.int32(), name: t.string().nullable(), at: t.timestamp().nullable() });
type Row = InferRow<typeof schema>;
type Change = readonly [op: number, row: Row];

const LIVE = { dryRun: false } as const;

function optionsOf(store: ObjectStore, mode: 'append' | 'upsert', files: FileOptions = {}) {
  return {
    store,
    prefix: 't',
    schema,
    mode,
    ...(mode === 'upsert' ? { key: ['id'] } : {}),
    ...files,
  } as const;
}

/** A table in memory with one writer. */
async function written(
  mode: 'append' | 'upsert',
  files: FileOptions = {},
  store = memoryObjectStore(),
): Promise<{
  store: ObjectStore;
  commit: (changes: readonly Change[]) => Promise<void>;
  session: SinkSession<Row>;
}> {
  const connector: SinkConnector<Row> = s3Sink(optionsOf(store, mode, files));
  const sink = await connector.open({ pipeline: 'p', sink: 's' });
  const session = await sink.recover(['0']);
  const commit = async (changes: readonly Change[]) => {
    const transaction = await session.begin();
    const ops = Uint8Array.from(changes, ([op]) => op);
    await transaction.write({
      partition: '0',
      rows: changes.map(([, row]) => row),
      ...(mode === 'upsert' ? { ops } : {}),
    });
    await transaction.prepare();
    const from = new Map<string, Position>(session.positions);
    const offset = (from.get('0')?.offset ?? 0n) + BigInt(changes.length);
    await transaction.commit({
      from,
      to: new Map<string, Advance>([['0', { offset, source: { kind: 'test' } }]]),
    });
  };
  return { store, commit, session };
}

async function rowsOf(store: ObjectStore, at?: bigint): Promise<Record<string, unknown>[]> {
  const table = await openTable(store, 't', at === undefined ? {} : { at });
  const rows: Record<string, unknown>[] = [];
  for await (const batch of table.rows()) rows.push(...batch);
  return rows.sort((a, b) => Number(a['id']) - Number(b['id']));
}

/** What a changelog leaves, by a plain map. */
function oracle(changes: readonly Change[]): Row[] {
  const live = new Map<number, Row>();
  for (const [op, row] of changes) {
    if (isRetraction(op)) live.delete(row.id);
    else live.set(row.id, row);
  }
  return [...live.values()].sort((a, b) => a.id - b.id);
}

const change = fc.tuple(
  fc.constantFrom(Op.insert, Op.insert, Op.updateBefore, Op.updateAfter, Op.delete),
  fc.record({
    id: fc.integer({ min: 0, max: 12 }),
    name: fc.option(fc.string({ unit: 'grapheme' })),
    at: fc.option(fc.bigInt({ min: 0n, max: 10n ** 15n })),
  }),
);
const commits = fc.array(fc.array(change, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 6 });

describe('a table read back', () => {
  test.each(['ndjson', 'csv', 'parquet'] as const)(
    'is what its changelog leaves, in files of %s',
    async (format) => {
      await fc.assert(
        fc.asyncProperty(commits, async (batches) => {
          const { store, commit } = await written('upsert', { format });
          for (const batch of batches) await commit(batch);
          expect(await rowsOf(store)).toEqual(oracle(batches.flat()));
        }),
        { numRuns: 25 },
      );
    },
  );

  test('as of an earlier commit, too', async () => {
    const { store, commit } = await written('append');
    const seqs: bigint[] = [];
    for (let id = 0; id < 5; id++) {
      await commit([[Op.insert, { id, name: null, at: null }]]);
      seqs.push((await openTable(store, 't')).seq);
    }
    for (const [index, seq] of seqs.entries()) expect(await rowsOf(store, seq)).toHaveLength(index + 1);
  });

  test('of a column that was added later, older rows have null', async () => {
    const { store, commit } = await written('append', { format: 'csv' });
    await commit([[Op.insert, { id: 1, name: 'old', at: null }]]);
    const wider = rowSchema({ ...schema.columns, extra: t.int64().nullable() });
    const sink = await s3Sink({
      store,
      prefix: 't',
      schema: wider,
      format: 'csv',
      evolution: 'add-nullable',
    }).open({ pipeline: 'q', sink: 's' });
    const session = await sink.recover(['0']);
    const transaction = await session.begin();
    await transaction.write({ partition: '0', rows: [{ id: 2, name: 'new', extra: 7n }] });
    await transaction.prepare();
    await transaction.commit({
      from: session.positions,
      to: new Map([['0', { offset: 1n, source: { kind: 'test' } }]]),
    });
    expect((await rowsOf(store)).map(({ id, extra }) => [id, extra ?? null])).toEqual([
      [1, null],
      [2, 7n],
    ]);
  });
});

describe('compaction', () => {
  const settingsOf = (store: ObjectStore, mode: 'append' | 'upsert', files: FileOptions = {}) =>
    checkOptions(optionsOf(store, mode, files));

  test('keeps the rows of any changelog, and so do commits behind it', async () => {
    await fc.assert(
      fc.asyncProperty(
        commits,
        commits,
        fc.constantFrom('ndjson' as const, 'parquet' as const),
        async (before, after, format) => {
          const { store, commit } = await written('upsert', { format });
          for (const batch of before) await commit(batch);
          const report = await compactTable(
            { store, prefix: 't/' },
            settingsOf(store, 'upsert', { format }),
            LIVE,
          );
          expect(report.after.files).toBeLessThanOrEqual(report.before.files);
          expect(await rowsOf(store)).toEqual(oracle(before.flat()));
          for (const batch of after) await commit(batch);
          expect(await rowsOf(store)).toEqual(oracle([...before, ...after].flat()));
          await compactTable({ store, prefix: 't/' }, settingsOf(store, 'upsert', { format }), LIVE);
          expect(await rowsOf(store)).toEqual(oracle([...before, ...after].flat()));
        },
      ),
      { numRuns: 15 },
    );
  });

  test('merges small files, moves no position, and a dry run does nothing', async () => {
    const { store, commit, session } = await written('append');
    for (let id = 0; id < 20; id++) await commit([[Op.insert, { id, name: 'x', at: null }]]);
    const settings = settingsOf(store, 'append');
    const dry = await compactTable({ store, prefix: 't/' }, settings, { dryRun: true });
    expect([dry.before.files, dry.after.files]).toEqual([20, 20]);
    const { before, after } = await compactTable({ store, prefix: 't/' }, settings, LIVE);
    expect([before.files, after.files, after.rows]).toEqual([20, 1, 20]);
    expect((await openTable(store, 't')).positions.get('p/s')?.get('0')).toEqual(session.positions.get('0'));
    await commit([[Op.insert, { id: 20, name: 'x', at: null }]]);
    expect(await rowsOf(store)).toHaveLength(21);
  });

  test('two at a time: one gives up, and no row is lost or doubled', async () => {
    const { store, commit } = await written('append');
    for (let id = 0; id < 10; id++) await commit([[Op.insert, { id, name: 'x', at: null }]]);
    const settings = settingsOf(store, 'append');
    const both = await Promise.allSettled(
      [1, 2].map(() => compactTable({ store, prefix: 't/' }, settings, LIVE)),
    );
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(both.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'EOS_UNAVAILABLE', retryable: true },
    });
    expect((await rowsOf(store)).map(({ id }) => id)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('is refused where files are listed', async () => {
    const store = memoryObjectStore();
    const options = { store, prefix: 't', schema, visibility: 'listing' } as const;
    await (await s3Sink(options).open({ pipeline: 'p', sink: 's' })).recover(['0']);
    await expect(compactTable({ store, prefix: 't/' }, checkOptions(options), LIVE)).rejects.toMatchObject({
      code: 'EOS_CONFIG',
    });
  });
});

describe('vacuum', () => {
  const place = (store: ObjectStore) => ({ store, prefix: 't/' });
  const countOf = async (store: ObjectStore) => {
    let count = 0;
    for await (const page of store.list({ prefix: 't/' }))
      count += page.filter(({ key }) => !key.includes('_eos/')).length;
    return count;
  };

  test('deletes what compaction has replaced, once nobody who began before can commit it', async () => {
    const { store, commit } = await written('append');
    for (let id = 0; id < 10; id++) await commit([[Op.insert, { id, name: 'x', at: null }]]);
    await compactTable(place(store), checkOptions(optionsOf(store, 'append')), LIVE);
    expect(await countOf(store)).toBe(11);
    // The first floor is the end of the log at the vacuum before: there was none.
    expect(await vacuumTable(place(store), LIVE)).toMatchObject({ files: 0 });
    expect(await vacuumTable(place(store), { dryRun: true })).toMatchObject({ files: 10, dryRun: true });
    expect(await countOf(store)).toBe(11);
    expect(await vacuumTable(place(store), LIVE)).toMatchObject({ files: 10 });
    expect(await countOf(store)).toBe(1);
    expect(await rowsOf(store)).toHaveLength(10);
  });

  test('a writer that slept across two of them writes again, and its rows are there once', async () => {
    const { store, session, commit } = await written('append');
    await commit([[Op.insert, { id: 0, name: 'x', at: null }]]);
    const asleep = await session.begin();
    await asleep.write({ partition: '0', rows: [{ id: 1, name: 'late' }] });
    await asleep.prepare();
    await vacuumTable(place(store), LIVE);
    const { files } = await vacuumTable(place(store), LIVE);
    expect(files).toBe(1);
    const to = new Map<string, Advance>([['0', { offset: 2n, source: { kind: 'test' } }]]);
    await expect(asleep.commit({ from: session.positions, to })).rejects.toMatchObject({
      code: 'EOS_UNAVAILABLE',
      retryable: true,
      outcome: 'aborted',
    });
    expect(await rowsOf(store)).toHaveLength(1);
    const again = await written('append', {}, store);
    await again.commit([[Op.insert, { id: 1, name: 'late', at: null }]]);
    expect((await rowsOf(store)).map(({ id }) => id)).toEqual([0, 1]);
  });

  test('one that slept across a single vacuum commits', async () => {
    const { store, session } = await written('append');
    const asleep = await session.begin();
    await asleep.write({ partition: '0', rows: [{ id: 1, name: 'late' }] });
    await asleep.prepare();
    await vacuumTable(place(store), LIVE);
    await asleep.commit({
      from: session.positions,
      to: new Map([['0', { offset: 1n, source: { kind: 'test' } }]]),
    });
    await vacuumTable(place(store), LIVE);
    expect(await rowsOf(store)).toHaveLength(1);
  });

  test('leaves tables below this one, and files of others, alone', async () => {
    const store = memoryObjectStore();
    const inner = await s3Sink({ store, prefix: 't/inner', schema }).open({ pipeline: 'p', sink: 's' });
    const session = await inner.recover(['0']);
    const transaction = await session.begin();
    await transaction.write({ partition: '0', rows: [{ id: 1, name: 'inner' }] });
    await transaction.prepare();
    await transaction.commit({
      from: session.positions,
      to: new Map([['0', { offset: 1n, source: { kind: 'test' } }]]),
    });
    const { commit } = await written('append', {}, store);
    await store.put('t/notes.txt', Buffer.from('mine'));
    for (let id = 0; id < 10; id++) await commit([[Op.insert, { id, name: 'x', at: null }]]);
    for (let run = 0; run < 3; run++) await vacuumTable(place(store), LIVE);
    expect(await store.head('t/notes.txt')).toBeDefined();
    const table = await openTable(store, 't/inner');
    const rows = [];
    for await (const batch of table.rows()) rows.push(...batch);
    expect(rows).toHaveLength(1);
  });
});
