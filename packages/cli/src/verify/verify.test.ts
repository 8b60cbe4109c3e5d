import {
  iterableSource,
  pipeline,
  rowSchema,
  t,
  type OpName,
  type SinkConnector,
  type Source,
  type SourceBatch,
  type TableSnapshot,
} from '@eos/core';
import { postgresSink } from '@eos/postgres';
import { describeWithService, type PostgresService } from '@eos/services';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import type { VerifyReport } from './report.js';
import { reportText } from './report-text.js';
import { verify, type VerifyOptions } from './verify.js';

type Row = Record<string, unknown>;

const context = { pipeline: 'shop', sink: 'warehouse' };

interface Shop {
  readonly client: Client;
  readonly connector: SinkConnector<Row>;
  readonly source: Source<Row>;
  readonly run: () => Promise<void>;
  readonly verify: (more?: Partial<VerifyOptions<Row, Row>>) => Promise<VerifyReport>;
}

interface ShopOptions {
  readonly connectorOf: (connection: string) => SinkConnector<Row>;
  readonly items: readonly Row[];
  readonly ops?: readonly OpName[];
}

async function withShop(
  service: PostgresService,
  { connectorOf, items, ops }: ShopOptions,
  work: (shop: Shop) => Promise<void>,
): Promise<void> {
  const database = await service.createDatabase();
  const client = new Client({ connectionString: database.url });
  await client.connect();
  const connector = connectorOf(database.url);
  const source = iterableSource<Row>(ops === undefined ? { items } : { items, ops });
  try {
    await work({
      client,
      connector,
      source,
      run: async () => {
        await pipeline({ id: 'shop', source, sinks: { warehouse: connector } }).run();
      },
      verify: async (more = {}) => {
        const snapshot = more.snapshot ?? (await readTable(connector));
        try {
          return await verify<Row, Row>({
            context,
            source,
            transform: (batch) => batch,
            changelog: source.changelog,
            mode: connector.capabilities.changelog,
            ...more,
            snapshot,
          });
        } finally {
          await snapshot.close();
        }
      },
    });
  } finally {
    await client.end();
    await database.drop();
  }
}

async function readTable({ abilities }: SinkConnector<Row>): Promise<TableSnapshot> {
  const snapshot = await abilities?.readTable?.(context);
  if (snapshot === undefined) throw new Error('the table cannot be read');
  return snapshot;
}

const orders = rowSchema({ total: t.decimal(12, 2), shop: t.int32(), id: t.int64() });
const clicks = rowSchema({ page: t.string().nullable(), id: t.int64() });
const by = (row: Row) => ('total' in row ? 'orders' : 'it is: "clicks"\\');

function routed(mode: 'append' | 'upsert') {
  const keys = mode === 'upsert' ? [{ key: ['shop', 'id'] }, { key: ['id'] }] : [{}, {}];
  return (connection: string): SinkConnector<Row> =>
    postgresSink<Row>({
      connection,
      mode,
      route: {
        by,
        tables: {
          orders: { schema: orders, ...keys[0] },
          'it is: "clicks"\\': { table: 'clicks', schema: clicks, ...keys[1] },
        },
      },
    });
}

const mixed: Row[] = Array.from({ length: 600 }, (_, id) =>
  id % 3 === 0 ? { shop: id % 7, id, total: `${id}.50` } : { id, page: id % 2 === 0 ? null : `/${id}` },
);

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  test('several tables are one destination: in an append without keys', async () => {
    await withShop(
      getService(),
      { connectorOf: routed('append'), items: mixed },
      async ({ run, client, ...shop }) => {
        await run();
        expect(await shop.verify()).toMatchObject({ verdict: 'equal', expected: 600, found: 600 });
        await client.query(`DELETE FROM orders WHERE id = 3; UPDATE clicks SET page = '/x' WHERE id = 4`);
        const report = await shop.verify();
        expect(report.counts).toEqual({ lost: 2, doubled: 0, changed: 0, foreign: 1 });
        expect(report.rows).toEqual([
          {
            kind: 'lost',
            copies: 1,
            table: 'orders',
            row: { total: '3.5', shop: '3', id: '3' },
            partition: '0',
            offset: '3',
          },
          {
            kind: 'lost',
            copies: 1,
            table: by({}),
            row: { page: null, id: '4' },
            partition: '0',
            offset: '4',
          },
          { kind: 'foreign', copies: 1, table: by({}), row: { page: '/x', id: '4' } },
        ]);
        expect(reportText(report)).toContain('lost in orders: total=3.5 shop=3 id=3 (0, offset 3)');
      },
    );
  });

  test('several tables are one destination: in an upsert with keys of different lengths', async () => {
    const again = mixed
      .slice(0, 9)
      .map((row) => ('total' in row ? { ...row, total: '1' } : { ...row, page: 'new' }));
    const gone = mixed.slice(30, 40);
    const options = {
      connectorOf: routed('upsert'),
      items: [...mixed, ...again, ...gone],
      ops: [
        ...mixed.map(() => '+I' as const),
        ...again.map(() => '+U' as const),
        ...gone.map(() => '-D' as const),
      ],
    };
    await withShop(getService(), options, async ({ run, client, ...shop }) => {
      await run();
      expect(await shop.verify()).toMatchObject({ verdict: 'equal', expected: 590, found: 590 });
      await client.query(`UPDATE orders SET total = 7 WHERE id = 0; UPDATE clicks SET page = NULL WHERE id = 1;
        INSERT INTO clicks VALUES ('back', 31)`);
      const { counts, rows } = await shop.verify();
      expect(counts).toEqual({ lost: 0, doubled: 0, changed: 2, foreign: 1 });
      expect(rows.map(({ table, row, columns }) => [table, row, columns])).toEqual([
        ['orders', { shop: '0', id: '0' }, { total: { expected: '1', found: '7' } }],
        [by({}), { id: '1' }, { page: { expected: 'new', found: null } }],
        [by({}), { id: '31', page: 'back' }, undefined],
      ]);
    });
  });

  test.each([
    ['with', (batch: SourceBatch<Row>) => ({ rows: batch.rows, offsets: batch.offsets })],
    ['without', ({ rows }: SourceBatch<Row>) => rows],
  ])('dead letters are not expected, and are counted: %s offsets', async (_title, transform) => {
    const one = (connection: string): SinkConnector<Row> =>
      postgresSink<Row>({ connection, table: 'clicks', schema: clicks, badRows: 'dead-letter' });
    // Two of each of the first ten, of which the table takes one; page 13 it does not take, and 14 is no number.
    const items: Row[] = Array.from({ length: 60 }, (_, id) => ({
      id: id < 50 ? id : id - 50,
      page: `/${id % 50}`,
    }));
    items[14] = { id: 'fourteen', page: null };
    await withShop(
      getService(),
      { connectorOf: one, items },
      async ({ client, source, connector, ...shop }) => {
        await client.query(`CREATE TABLE clicks (page text, id int8 NOT NULL UNIQUE, CHECK (page <> '/13'))`);
        const sinks = { warehouse: connector };
        expect(await pipeline({ id: 'shop', source, sinks, transform }).run()).toMatchObject({
          rejected: 12,
        });
        const equal = await shop.verify({ transform });
        expect(equal).toMatchObject({ verdict: 'equal', expected: 48, found: 48 });
        expect(equal.notes).toEqual(['12 changes are dead letters, and not expected']);
        await client.query(
          `DELETE FROM clicks WHERE id = 3; DELETE FROM eos.dead_letters WHERE row ->> 'id' IN ('13', 'fourteen')`,
        );
        const report = await shop.verify({ transform });
        expect(report.counts).toEqual({ lost: 2, doubled: 0, changed: 0, foreign: 0 });
        expect(new Set(report.rows.map(({ row }) => row['id']))).toEqual(new Set(['3', '13']));
        expect(report.notes).toEqual([
          '10 changes are dead letters, and not expected',
          '1 changes do not fit their columns, and are not expected',
        ]);
      },
    );
  });

  test('what cannot be read again is not judged, and a stop ends it', async () => {
    const one = (connection: string): SinkConnector<Row> =>
      postgresSink<Row>({ connection, table: 'clicks', schema: clicks });
    await withShop(
      getService(),
      { connectorOf: one, items: [{ id: 1, page: null }] },
      async ({ run, source, ...shop }) => {
        await run();
        const report = await shop.verify({ source: { ...source, replayable: false } });
        expect(report).toMatchObject({ verdict: 'unrepeatable', expected: 0, rows: [] });
        expect(report.notes.join()).toContain('cannot be read again');
        const stopped = shop.verify({ signal: AbortSignal.abort() });
        await expect(stopped).rejects.toMatchObject({ code: 'EOS_ABORTED' });
      },
    );
  });
});
