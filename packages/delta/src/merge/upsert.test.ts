import { Op, rowSchema, rowText, t, type ChangeBatch } from '@eos/core';
import { memoryObjectStore, type ObjectStore } from '@eos/object-store';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { tablePlan } from '../files/table-plan.js';
import { NO_ACTIONS } from '../log/actions.js';
import { DeltaLog } from '../log/delta-log.js';
import { checkOptions } from '../options.js';
import { seed } from '../random.testing.js';
import { parseTableSchema } from '../schema/delta-schema.js';
import { newTable } from '../sink/new-table.js';
import { DeltaTable } from '../table/delta-table.js';
import type { TransactionWriter } from '../sink/writers.js';
import { upsertWriters } from './upsert-writer.js';

const schema = rowSchema({
  id: t.int64(),
  city: t.string(),
  at: t.timestamp(),
  amount: t.decimal(10, 2).nullable(),
  reference: t.uuid().nullable(),
  document: t.json().nullable(),
  size: t.int32().nullable(),
});

interface Row {
  readonly id: bigint | number;
  readonly city: string;
  readonly at: bigint;
  readonly amount: string | null;
  readonly reference: string | null;
  readonly document: unknown;
  readonly size: number | null;
}

interface Change {
  readonly row: Row;
  readonly op: number;
}

interface Layout {
  readonly key: readonly (keyof Row)[];
  readonly partitionBy: readonly string[];
}

const LAYOUTS: Readonly<Record<string, Layout>> = {
  'an integer': { key: ['id'], partitionBy: [] },
  'an integer of a table with partitions': { key: ['id'], partitionBy: ['city'] },
  'several columns': { key: ['city', 'size', 'amount'], partitionBy: [] },
  'columns of the partition and others': { key: ['city', 'at'], partitionBy: ['city', 'size'] },
};

/** One table, written to without the sink around. */
class Table {
  private constructor(
    readonly store: ObjectStore,
    readonly log: DeltaLog,
    private readonly begin: () => TransactionWriter<Row>,
  ) {}

  static async make(
    layout: Layout,
    properties: Readonly<Record<string, string>>,
    runBytes?: number,
  ): Promise<Table> {
    const store = memoryObjectStore();
    const settings = checkOptions({ store, schema, mode: 'upsert', ...layout, properties });
    const made = newTable(settings, false, 0);
    const log = await DeltaLog.open(store, { prefix: '' });
    await log.append({ ...NO_ACTIONS, ...made }, () => true);
    const plan = tablePlan(made.metadata, parseTableSchema(made.metadata.schemaString).fields);
    const place = { store, place: { prefix: '' } };
    const { key } = settings;
    const options = { place, plan, protocol: made.protocol, settings: settings.files, key };
    const writers = upsertWriters<Row>({ ...options, ...(runBytes === undefined ? {} : { runBytes }) });
    return new Table(store, log, writers);
  }

  async stage(batches: readonly (readonly Change[])[]): Promise<TransactionWriter<Row>> {
    const writer = this.begin();
    for (const changes of batches) if (changes.length > 0) await writer.write(batchOf(changes));
    await writer.prepare();
    return writer;
  }

  async commit(writer: TransactionWriter<Row>): Promise<void> {
    for (;;) {
      const { removes, adds, changeFiles } = await writer.fileActions(this.log.state);
      if (await this.log.append({ ...NO_ACTIONS, removes, adds, changeFiles }, () => true)) break;
      await this.log.advance();
    }
    await writer.end?.();
  }

  async open(): Promise<DeltaTable> {
    return await DeltaTable.open({ store: this.store });
  }
}

function batchOf(changes: readonly Change[]): ChangeBatch<Row> {
  return {
    rows: changes.map(({ row }) => row),
    ops: Uint8Array.from(changes, ({ op }) => op),
    partition: '0',
    offsets: BigInt64Array.from(changes, (_, index) => BigInt(index)),
  };
}

/** As it comes back: decimals with all digits of their scale, UUIDs in lower case. */
function normal(row: Row): object {
  const { amount, reference } = row;
  return {
    ...row,
    amount:
      amount === null ? null : `${amount.split('.')[0] ?? ''}.${(amount.split('.')[1] ?? '').padEnd(2, '0')}`,
    reference: reference?.toLowerCase() ?? null,
  };
}

/** What must be there: the last change of each key. */
class Oracle {
  readonly rows = new Map<string, string>();

  constructor(private readonly layout: Layout) {}

  apply(changes: readonly Change[]): void {
    for (const { row, op } of changes) {
      const whole = normal(row);
      const key = rowText(
        Object.fromEntries(this.layout.key.map((name) => [name, Reflect.get(whole, name)])),
      );
      if (op === Op.insert || op === Op.updateAfter) this.rows.set(key, rowText(whole));
      else this.rows.delete(key);
    }
  }

  texts(): readonly string[] {
    return [...this.rows.values()].sort();
  }
}

async function textsOf(table: DeltaTable): Promise<readonly string[]> {
  const texts: string[] = [];
  for await (const rows of table.rows()) texts.push(...rows.map(rowText));
  return texts.sort();
}

/** The feed applied to nothing, version by version. */
async function replayed(table: DeltaTable): Promise<readonly string[]> {
  const counts = new Map<string, number>();
  for await (const { rows, ops } of table.changes({ from: 1 })) {
    rows.forEach((row, index) => {
      const text = rowText(row);
      const change = ops[index] === Op.insert || ops[index] === Op.updateAfter ? 1 : -1;
      counts.set(text, (counts.get(text) ?? 0) + change);
    });
  }
  return [...counts]
    .flatMap(([text, count]) => {
      expect(count).toBeGreaterThanOrEqual(0);
      return Array.from({ length: count }, () => text);
    })
    .sort();
}

const row: fc.Arbitrary<Row> = fc.record({
  id: fc.oneof(fc.nat(12), fc.nat(12).map(BigInt), fc.constantFrom(2n ** 62n, -(2n ** 62n))),
  city: fc.constantFrom('Köln', 'a/b=c', 'X'),
  at: fc.nat(3).map((day) => BigInt(day) * 86_400_000_000n + 1n),
  amount: fc.constantFrom('1.5', '1.50', '-2', '0'),
  reference: fc.constantFrom('6F9619FF-8B86-D011-B42D-00CF4FC964FF', null),
  document: fc.constantFrom({ a: [1, null] }, 'text', null),
  size: fc.constantFrom(1, 2),
});
const change: fc.Arbitrary<Change> = fc.record({
  row,
  op: fc.constantFrom(Op.insert, Op.insert, Op.updateAfter, Op.updateBefore, Op.delete),
});
const batch = fc.array(change, { maxLength: 6 });
const transaction = fc.array(batch, { maxLength: 4 });

const VECTORS = { 'delta.enableDeletionVectors': 'true' };
const FEED = { 'delta.enableChangeDataFeed': 'true' };
const MEANS: readonly (readonly [string, Readonly<Record<string, string>>, number | undefined])[] = [
  ['copy-on-write', {}, undefined],
  ['deletion vectors', VECTORS, undefined],
  ['copy-on-write with a change data feed, keys on the disk', FEED, 1],
  ['deletion vectors with a change data feed, keys on the disk', { ...VECTORS, ...FEED }, 1],
];

describe.each(MEANS)(`upserts by %s (EOS_TEST_SEED=${seed})`, (_means, properties, runBytes) => {
  test.each(Object.entries(LAYOUTS))('leave the last change of each key: %s', async (_name, layout) => {
    await fc.assert(
      fc.asyncProperty(fc.array(transaction, { maxLength: 4 }), async (transactions) => {
        const table = await Table.make(layout, properties, runBytes);
        const oracle = new Oracle(layout);
        for (const batches of transactions) {
          await table.commit(await table.stage(batches));
          oracle.apply(batches.flat());
          const opened = await table.open();
          expect(await textsOf(opened)).toEqual(oracle.texts());
        }
        expect(await replayed(await table.open())).toEqual(oracle.texts());
      }),
      { seed, numRuns: 15, endOnFailure: true },
    );
  });

  test('merge again behind those who were first', async () => {
    const [layout] = Object.values(LAYOUTS);
    if (layout === undefined) return;
    await fc.assert(
      fc.asyncProperty(
        transaction,
        fc.array(transaction, { maxLength: 3 }),
        transaction,
        async (base, winners, last) => {
          const table = await Table.make(layout, properties, runBytes);
          const oracle = new Oracle(layout);
          await table.commit(await table.stage(base));
          const loser = await table.stage(last);
          // It looks at the table, and comes too late.
          await loser.fileActions(table.log.state);
          for (const batches of winners) {
            await table.commit(await table.stage(batches));
            await loser.fileActions(table.log.state);
          }
          await table.commit(loser);
          for (const batches of [base, ...winners, last]) oracle.apply(batches.flat());
          const opened = await table.open();
          expect(await textsOf(opened)).toEqual(oracle.texts());
          expect(await replayed(opened)).toEqual(oracle.texts());
          await expectNoOrphans(table, opened);
        },
      ),
      { seed, numRuns: 15, endOnFailure: true },
    );
  });
});

/** What was written for a lost attempt is deleted: every file belongs to some version. */
async function expectNoOrphans(table: Table, opened: DeltaTable): Promise<void> {
  const named = new Set<string>();
  for (let version = 0; version <= opened.version; version++) {
    const body = await table.store.get(`_delta_log/${String(version).padStart(20, '0')}.json`);
    for (const line of Buffer.from(body?.body ?? [])
      .toString()
      .split('\n')) {
      if (line === '') continue;
      const { add, cdc } = JSON.parse(line) as Record<'add' | 'cdc', { path: string } | undefined>;
      for (const file of [add, cdc]) if (file !== undefined) named.add(decodeURIComponent(file.path));
    }
  }
  for await (const page of table.store.list()) {
    for (const { key } of page) {
      if (key.startsWith('_delta_log/') || key.includes('deletion_vector_')) continue;
      expect(named).toContain(key);
    }
  }
}

describe('an upsert', () => {
  const rowOf = (id: bigint, size: number): Row => ({
    ...{ id, size, city: 'X', at: 0n, amount: null, reference: null, document: null },
  });

  test('leaves files alone in which no key is, and writes each other one once', async () => {
    const table = await Table.make({ key: ['id'], partitionBy: [] }, {});
    for (let part = 0n; part < 5n; part++) {
      const rows = Array.from({ length: 10 }, (_, index) => rowOf(part * 100n + BigInt(index), 0));
      await table.commit(await table.stage([rows.map((each) => ({ row: each, op: Op.insert }))]));
    }
    const before = await (await table.open()).files();
    const hits = [3n, 4n, 5n, 203n].map((id) => ({ row: rowOf(id, 1), op: Op.updateAfter }));
    await table.commit(await table.stage([hits.slice(0, 2), hits.slice(2)]));
    const after = await (await table.open()).files();
    const gone = before.filter(({ path }) => !after.some((file) => file.path === path));
    expect(gone.map(({ path }) => before.findIndex((file) => file.path === path))).toEqual([0, 2]);
    expect(after.map(({ rows }) => rows).sort()).toEqual([10, 10, 10, 4, 7, 9]);
  });

  test('refuses a row without its key, by its place', async () => {
    const table = await Table.make({ key: ['id'], partitionBy: [] }, {});
    const writer = table.stage([
      [
        { row: rowOf(1n, 1), op: 0 },
        { row: { ...rowOf(2n, 1), id: null as never }, op: 0 },
      ],
    ]);
    await expect(writer).rejects.toMatchObject({
      code: 'EOS_ROW',
      details: { column: 'id', offset: 1n, partition: '0', row: 1 },
    });
  });

  test('keeps a file whose rows all go out of the table', async () => {
    for (const properties of [{}, VECTORS]) {
      const table = await Table.make({ key: ['id'], partitionBy: [] }, properties);
      await table.commit(await table.stage([[{ row: rowOf(1n, 1), op: Op.insert }]]));
      await table.commit(await table.stage([[{ row: rowOf(1n, 1), op: Op.delete }]]));
      expect(await (await table.open()).files()).toEqual([]);
    }
  });
});
