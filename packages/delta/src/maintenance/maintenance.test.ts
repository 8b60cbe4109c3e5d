import { Op, rowSchema, rowText, t, type SinkSession } from '@eos/core';
import { memoryObjectStore, type ObjectStore } from '@eos/object-store';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { deltaSink, DeltaTable, type DeltaSinkOptions } from '../index.js';
import { checkOptions } from '../options.js';
import { seed } from '../random.testing.js';
import { withRequests } from '../troubled-store.testing.js';
import { compactTable } from './compact.js';
import { isVacuumed } from './needed-files.js';
import { vacuumTable } from './vacuum.js';

const schema = rowSchema({
  id: t.int64(),
  city: t.string(),
  size: t.int32().nullable(),
  document: t.json().nullable(),
});
interface Row {
  readonly id: bigint;
  readonly city: string;
  readonly size?: number | null;
  readonly document?: unknown;
}
type Change = readonly [op: number, row: Row];

const NO_RETENTION = { 'delta.deletedFileRetentionDuration': 'interval 0 seconds' };
const CONTEXT = { pipeline: 'p', sink: 's' };
const LIVE = { dryRun: false } as const;

function connectorOf(store: ObjectStore, options: Partial<DeltaSinkOptions> = {}) {
  return deltaSink<Row>({ store, schema, mode: 'upsert', key: ['id'], ...options } as DeltaSinkOptions);
}

async function commit(session: SinkSession<Row>, changes: readonly Change[]): Promise<void> {
  await (
    await stage(session, changes)
  )();
}

async function stage(session: SinkSession<Row>, changes: readonly Change[]): Promise<() => Promise<void>> {
  const transaction = await session.begin();
  const rows = changes.map(([, row]) => row);
  if (rows.length > 0)
    await transaction.write({ rows, ops: Uint8Array.from(changes, ([op]) => op), partition: '0' });
  await transaction.prepare();
  const offset = (session.positions.get('0')?.offset ?? 0n) + 1n;
  return () => transaction.commit({ from: session.positions, to: new Map([['0', { offset, source: {} }]]) });
}

async function claimed(
  store: ObjectStore,
  options: Partial<DeltaSinkOptions> = {},
): Promise<SinkSession<Row>> {
  return await (await connectorOf(store, options).open(CONTEXT)).recover(['0']);
}

async function textsOf(store: ObjectStore, version?: number): Promise<readonly string[]> {
  const table = await DeltaTable.open({ store, ...(version === undefined ? {} : { version }) });
  const texts: string[] = [];
  for await (const rows of table.rows()) texts.push(...rows.map(rowText));
  return texts.sort();
}

async function keysOf(store: ObjectStore): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const page of store.list()) keys.push(...page.map(({ key }) => key));
  return keys.filter((key) => !key.startsWith('_delta_log/'));
}

/** The store's clock has milliseconds. */
async function tick(): Promise<void> {
  const start = Date.now();
  while (Date.now() <= start + 1) await new Promise(setImmediate);
}

function row(id: number, size = 0): Change {
  return [Op.insert, { id: BigInt(id), city: id % 2 === 0 ? 'Köln' : 'X', size, document: { id } }];
}

const change = fc
  .tuple(fc.constantFrom(Op.insert, Op.updateAfter, Op.delete), fc.nat(9), fc.nat(3))
  .map(([op, id, size]): Change => [op, row(id, size)[1]]);
const commits = fc.array(fc.array(change, { maxLength: 6 }), { minLength: 1, maxLength: 5 });

describe(`compaction (EOS_TEST_SEED=${seed})`, () => {
  test('changes no row and no position, whatever is written before and behind it', async () => {
    const options = fc.record({
      properties: fc.constantFrom({}, { 'delta.enableDeletionVectors': 'true' }),
      partitionBy: fc.constantFrom([], ['city']),
    });
    await fc.assert(
      fc.asyncProperty(
        commits,
        commits,
        options,
        fc.constantFrom(undefined, ['size', 'id']),
        async (before, after, how, sortBy) => {
          const store = memoryObjectStore();
          const session = await claimed(store, how);
          for (const changes of before) await commit(session, changes);
          const expected = await textsOf(store);
          const { files } = checkOptions({ store, schema, ...how });
          const order = sortBy === undefined ? {} : { sortBy };
          const report = await compactTable({ store, place: { prefix: '' } }, files, { ...LIVE, ...order });
          expect(await textsOf(store)).toEqual(expected);
          expect(report.after.files).toBeLessThanOrEqual(how.partitionBy.length === 0 ? 1 : 2);
          expect(report.after.rows).toBe(expected.length);
          const live = await (await DeltaTable.open({ store })).files();
          expect(live.every(({ deletedRows }) => deletedRows === 0)).toBe(true);
          for (const changes of after) await commit(session, changes);
          const other = memoryObjectStore();
          const plain = await claimed(other, how);
          for (const changes of [...before, ...after]) await commit(plain, changes);
          expect(await textsOf(store)).toEqual(await textsOf(other));
          expect((await connectorOf(store).abilities?.status?.(CONTEXT))?.get('0')?.position).toEqual(
            session.positions.get('0'),
          );
        },
      ),
      { seed, numRuns: 15, endOnFailure: true },
    );
  });

  test('sorts, so that readers of ranges skip', async () => {
    const store = memoryObjectStore();
    const session = await claimed(store, { mode: 'append', key: undefined as never });
    for (let part = 0; part < 3; part++)
      await commit(
        session,
        Array.from({ length: 10 }, (_, index) => row(index * 3 + part, 30 - index)),
      );
    const { files } = checkOptions({ store, schema });
    await compactTable({ store, place: { prefix: '' } }, files, { ...LIVE, sortBy: ['id'] });
    const ids: unknown[] = [];
    for await (const rows of (await DeltaTable.open({ store })).rows()) ids.push(...rows.map(({ id }) => id));
    expect(ids).toEqual(Array.from({ length: 30 }, (_, id) => BigInt(id)));
    const wrong = compactTable({ store, place: { prefix: '' } }, files, { ...LIVE, sortBy: ['nothing'] });
    await expect(wrong).rejects.toMatchObject({ code: 'EOS_CONFIG', details: { option: 'sortBy' } });
  });

  test('goes on behind writers, and leaves out what they have replaced', async () => {
    const store = memoryObjectStore();
    const session = await claimed(store, { partitionBy: ['city'] });
    for (let id = 0; id < 6; id++) await commit(session, [row(id)]);
    let isFirst = true;
    const slow = withRequests(store, async (request, send) => {
      // An append and an update of one partition come first.
      if (isFirst && request.call === 'put' && request.key.startsWith('_delta_log/')) {
        isFirst = false;
        await commit(session, [row(8), row(2, 5)]);
      }
      return await send();
    });
    const { files } = checkOptions({ store, schema });
    const report = await compactTable({ store: slow, place: { prefix: '' } }, files, LIVE);
    expect(isFirst).toBe(false);
    // The three files of the other partition are one; of this one nothing was merged.
    expect(report.after.files).toBe(1 + 3);
    expect(await textsOf(store)).toHaveLength(7);
    const named = (await (await DeltaTable.open({ store })).files()).map(({ path }) => path);
    const unnamed = (await keysOf(store)).filter((key) => !named.includes(key));
    // What a compaction in vain wrote is deleted; what was replaced stays until a vacuum.
    expect(unnamed).toHaveLength(3 + 1);
  });

  test('in a dry run does nothing', async () => {
    const store = memoryObjectStore();
    const session = await claimed(store);
    for (let id = 0; id < 3; id++) await commit(session, [row(id)]);
    const keys = await keysOf(store);
    const report = await connectorOf(store).abilities?.compact?.(CONTEXT, { dryRun: true });
    expect(report).toMatchObject({ before: { files: 3, rows: 3 }, after: { files: 3 }, dryRun: true });
    expect(await keysOf(store)).toEqual(keys);
  });
});

describe('vacuum', () => {
  const vacuum = async (store: ObjectStore, dryRun = false) => {
    await tick();
    const report = await vacuumTable({ store, place: { prefix: '' } }, { dryRun });
    await tick();
    return report;
  };

  test('deletes what is not needed, once nobody who began before can commit it', async () => {
    const store = memoryObjectStore();
    const properties = {
      ...NO_RETENTION,
      'delta.enableDeletionVectors': 'true',
      'delta.enableChangeDataFeed': 'true',
    };
    const session = await claimed(store, { properties });
    for (let size = 0; size < 4; size++) await commit(session, [row(1, size), row(2, size)]);
    await commit(session, [[Op.delete, row(2)[1]]]);
    await connectorOf(store).abilities?.compact?.(CONTEXT, LIVE);
    const expected = await textsOf(store);
    const before = await keysOf(store);
    expect(await vacuum(store)).toMatchObject({ files: 0, floor: 0n });
    expect(await vacuum(store, true)).toMatchObject({ files: before.length - 1, dryRun: true });
    expect(await keysOf(store)).toEqual(before);
    expect(await vacuum(store)).toMatchObject({ files: before.length - 1 });
    expect(await keysOf(store)).toHaveLength(1);
    expect(await textsOf(store)).toEqual(expected);
    // A session that was idle does not know yet that the floor is behind it.
    await expect(commit(session, [row(3)])).rejects.toMatchObject({
      code: 'EOS_UNAVAILABLE',
      retryable: true,
    });
    await commit(await claimed(store), [row(3)]);
    expect(await textsOf(store)).toHaveLength(expected.length + 1);
  });

  test('keeps what the table promises to keep, and what is not its own', async () => {
    const store = memoryObjectStore();
    const session = await claimed(store);
    for (let size = 0; size < 3; size++) await commit(session, [row(1, size)]);
    const { version } = await DeltaTable.open({ store });
    await store.put('_other/file', Buffer.from('x'));
    await store.put('nested/_delta_log/00000000000000000000.json', Buffer.from('x'));
    await store.put('nested/part-0.parquet', Buffer.from('x'));
    for (let count = 0; count < 3; count++) expect(await vacuum(store)).toMatchObject({ files: 0 });
    expect(await textsOf(store, version - 1)).toHaveLength(1);
  });

  test('a writer that slept across two of them writes again; across one it goes on', async () => {
    const store = memoryObjectStore();
    const session = await claimed(store, { properties: NO_RETENTION });
    await commit(session, [row(1)]);
    const one = await stage(session, [row(2)]);
    await vacuum(store);
    await one();
    const asleep = await stage(session, [row(3)]);
    await vacuum(store);
    const { files } = await vacuum(store);
    expect(files).toBe(1);
    await expect(asleep()).rejects.toMatchObject({
      code: 'EOS_UNAVAILABLE',
      retryable: true,
      outcome: 'aborted',
    });
    expect(await textsOf(store)).toHaveLength(2);
    const again = await claimed(store);
    await commit(again, [row(3)]);
    expect(await textsOf(store)).toHaveLength(3);
  });

  test.each([
    ['part-1.parquet', true],
    ['day=1/part-1.parquet', true],
    ['_change_data/day=1/cdc-1.parquet', true],
    ['deletion_vector_x.bin', true],
    ['_delta_log/00000000000000000000.json', false],
    ['a/_temporary/part-1.parquet', false],
    ['.hidden', false],
    ['_day=1/part-1.parquet', true],
  ])('looks at %s: %s', (path, expected) => {
    expect(isVacuumed(path)).toBe(expected);
  });
});
