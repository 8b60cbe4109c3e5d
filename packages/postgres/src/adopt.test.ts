/** A table that was filled by hand-written code is written on, exactly once. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { adopt, ndjsonSource, pipeline, rowSchema, t, type AdoptedPosition } from '@eos/core';
import { describeWithService } from '@eos/services';
import { context, failureOf, withDatabase, type Fixture } from './database.testing.js';
import { postgresSink } from './index.js';

const schema = rowSchema({ id: t.int64(), origin: t.string() });
const ROWS = 500;
const lines = Array.from({ length: ROWS }, (_, id) => `${JSON.stringify({ id, origin: `a\u00e9${id}` })}\n`);
const bytesOf = (count: number) => Buffer.byteLength(lines.slice(0, count).join(''));

interface Move {
  readonly fixture: Fixture;
  readonly adopt: (position: AdoptedPosition) => Promise<unknown>;
  readonly run: () => Promise<unknown>;
  readonly ids: () => Promise<unknown[]>;
}

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  /** A table into which a naive loader has brought the first `loaded` lines of a file. */
  async function withLoaded(loaded: number, work: (move: Move) => Promise<void>): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'eos-adopt-'));
    try {
      await writeFile(join(folder, 'flights.ndjson'), lines.join(''));
      await withDatabase(getService(), async (fixture) => {
        await fixture.query('CREATE TABLE flights (id bigint NOT NULL, origin text NOT NULL)');
        for (const line of lines.slice(0, loaded)) {
          await fixture.client.query(
            'INSERT INTO flights SELECT id, origin FROM json_to_record($1) AS r(id bigint, origin text)',
            [line],
          );
        }
        const source = ndjsonSource({ path: join(folder, 'flights.ndjson'), schema });
        const sink = () => postgresSink({ connection: fixture.database.url, table: 'flights', schema });
        const id = context.pipeline;
        await work({
          fixture,
          adopt: (position) =>
            adopt({ id, source, sinks: { flights: sink() }, positions: { 'flights.ndjson': position } }),
          run: () => pipeline({ id, source, sinks: { flights: sink() }, trigger: { rows: 37 } }).run(),
          ids: () => fixture.column('SELECT id::int FROM flights ORDER BY 1'),
        });
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  const all = Array.from({ length: ROWS }, (_, id) => id);

  test.each([
    ['offset', 123, { offset: bytesOf(123) }],
    ['number of rows', 123, { rows: 123 }],
    ['whole file', ROWS, { offset: bytesOf(ROWS) }],
  ])(
    'goes on behind the loader, by %s',
    async (_name, loaded, position) => {
      await withLoaded(loaded, async (move) => {
        await move.adopt(position);
        await move.adopt(position);
        expect(await move.ids()).toEqual(all.slice(0, loaded));
        await move.run();
        await move.run();
        expect(await move.ids()).toEqual(all);
      });
    },
    30_000,
  );

  test('refuses an offset within a row or beyond the end, and stores nothing', async () => {
    await withLoaded(10, async (move) => {
      for (const offset of [bytesOf(10) + 1, bytesOf(10) - 1, bytesOf(ROWS) + 1, 0]) {
        expect((await failureOf(move.adopt({ offset }))).code).toBe('EOS_CONFIG');
      }
      expect(await move.fixture.column(`SELECT to_regnamespace('eos')::text`)).toEqual([null]);
    });
  }, 30_000);

  test('refuses where the pipeline has committed, or was adopted elsewhere', async () => {
    await withLoaded(10, async (move) => {
      await move.adopt({ offset: bytesOf(10) });
      expect((await failureOf(move.adopt({ offset: bytesOf(11) }))).code).toBe('EOS_POSITION_EXISTS');
      await move.run();
      expect((await failureOf(move.adopt({ offset: bytesOf(10) }))).code).toBe('EOS_POSITION_EXISTS');
      expect(await move.ids()).toEqual(all);
    });
  }, 30_000);

  test('makes no table', async () => {
    await withLoaded(0, async (move) => {
      await move.fixture.query('DROP TABLE flights');
      expect((await failureOf(move.adopt({ rows: 10 }))).code).toBe('EOS_SCHEMA');
      expect(await move.fixture.column(`SELECT to_regclass('flights')::text`)).toEqual([null]);
    });
  }, 30_000);

  test('takes over from a session that has claimed and not committed', async () => {
    await withLoaded(10, async (move) => {
      const sink = await move.fixture.open({ table: 'flights', schema }, { ...context, sink: 'flights' });
      const session = await sink.recover(['flights.ndjson']);
      const transaction = await session.begin();
      await transaction.write({ partition: 'flights.ndjson', rows: [{ id: 0, origin: 'twice' }] });
      await transaction.prepare();
      await move.adopt({ rows: 10 });
      const to = new Map([['flights.ndjson', { offset: 9n, source: { kind: 'file' } }]]);
      const commit = transaction.commit({ from: new Map(session.positions), to });
      expect((await failureOf(commit)).code).toBe('EOS_FENCED');
      await move.run();
      expect(await move.ids()).toEqual(all);
    });
  }, 30_000);

  test('at once, several times, stores one position', async () => {
    await withLoaded(10, async (move) => {
      const outcomes = await Promise.allSettled([10, 10, 10, 11].map((rows) => move.adopt({ rows })));
      const stored = await move.fixture.column('SELECT next_offset::int FROM eos.positions');
      expect(stored).toHaveLength(1);
      const isTen = stored[0] === bytesOf(10);
      expect(outcomes.map(({ status }) => status)).toEqual(
        [isTen, isTen, isTen, !isTen].map((isStored) => (isStored ? 'fulfilled' : 'rejected')),
      );
    });
  }, 30_000);
});
