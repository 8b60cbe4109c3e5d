import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { rowSchema, t } from '@eos/core';
import { describeWithService } from '@eos/services';
import {
  commit,
  failureOf,
  prepared,
  rangeOf,
  withDatabase,
  type Fixture,
  type Row,
} from '../database.testing.js';

const before = rowSchema({ id: t.int64() });
const after = rowSchema({ id: t.int64(), note: t.string().nullable() });
const by = (row: Row) => String(row['kind']);
const old = { route: { by, tables: { first: { schema: before }, second: { schema: before } } } };
const evolving = { schema: after, evolution: 'add-nullable' } as const;
const grown = { route: { by, tables: { first: evolving, second: evolving } } };
const row = (kind: 'first' | 'second', id: number) => ({ kind, id });

/** A second writer adds the columns of its schema while somebody drops the first table of the route. */
describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  /** A session of the schema before, which has committed a row to each table. */
  const withWriter = async (
    work: (fixture: Fixture, session: Awaited<ReturnType<typeof claim>>) => Promise<void>,
  ) => {
    await withDatabase(getService(), async (fixture) => {
      const session = await claim(fixture, old);
      await commit(session, { rows: [row('first', 1), row('second', 2)] });
      await work(fixture, session);
    });
  };
  const claim = async (fixture: Fixture, options: typeof old | typeof grown) =>
    await (await fixture.open(options)).recover(['0']);
  const columnsOf = (fixture: Fixture, table: string) =>
    fixture.column(`
      SELECT attname FROM pg_attribute WHERE attrelid = to_regclass('${table}') AND attnum > 0 AND NOT attisdropped ORDER BY attnum`);
  const idsOf = (fixture: Fixture, table: string) =>
    fixture.column(`SELECT id::int FROM ${table} ORDER BY id`);
  const offsets = (fixture: Fixture) =>
    fixture.column('SELECT next_offset::int FROM eos.positions ORDER BY epoch');

  test('its drop is under way when the columns are added: the writer stops, and nothing else is touched', async () => {
    await withWriter(async (fixture, session) => {
      const dropper = await fixture.connect();
      await dropper.query('BEGIN; DROP TABLE first');
      const sink = await fixture.open(grown);
      const failed = failureOf(sink.recover(['0']));
      await fixture.untilLocked('relation');
      await dropper.query('COMMIT');
      expect((await failed).code).toMatch(/^EOS_(TARGET_CHANGED|SCHEMA)$/);
      expect((await failureOf(sink.recover(['0']))).code).toBe('EOS_TARGET_CHANGED');
      expect(await columnsOf(fixture, 'second')).toEqual(['id']);
      // The claim is still that of the first writer, which learns of it by its next commit.
      const transaction = await prepared(session, { rows: [row('second', 3)] });
      expect((await failureOf(transaction.commit(rangeOf(session, 2n)))).code).toBe('EOS_TARGET_CHANGED');
      expect([await idsOf(fixture, 'second'), await offsets(fixture)]).toEqual([[2], [1]]);
    });
  }, 30_000);

  test('it is made again by the same transaction: the new one is another table', async () => {
    await withWriter(async (fixture, session) => {
      const dropper = await fixture.connect();
      await dropper.query('BEGIN; DROP TABLE first; CREATE TABLE first (id bigint)');
      const sink = await fixture.open(grown);
      const failed = failureOf(sink.recover(['0']));
      await fixture.untilLocked('relation');
      await dropper.query('COMMIT');
      expect((await failed).code).toBe('EOS_TARGET_CHANGED');
      expect((await failureOf(sink.recover(['0']))).code).toBe('EOS_TARGET_CHANGED');
      const transaction = await prepared(session, { rows: [row('second', 3)] });
      expect((await failureOf(transaction.commit(rangeOf(session, 2n)))).code).toBe('EOS_TARGET_CHANGED');
      expect([await idsOf(fixture, 'first'), await idsOf(fixture, 'second')]).toEqual([[], [2]]);
      expect(await offsets(fixture)).toEqual([1]);
    });
  }, 30_000);

  test('it is gone when the columns of the second table are added: no commit of either writer goes in', async () => {
    await withWriter(async (fixture, session) => {
      const holder = await fixture.connect();
      await holder.query('BEGIN; SELECT FROM second');
      const claiming = claim(fixture, grown);
      await fixture.untilLocked('relation');
      // Its columns are there already.
      expect(await columnsOf(fixture, 'first')).toEqual(['id', 'note']);
      await fixture.query('DROP TABLE first');
      await holder.query('COMMIT');
      const successor = await claiming;
      expect(await columnsOf(fixture, 'second')).toEqual(['id', 'note']);
      const late = await prepared(session, { rows: [row('second', 3)] });
      expect((await failureOf(late.commit(rangeOf(session, 2n)))).code).toBe('EOS_FENCED');
      const transaction = await prepared(successor, { rows: [row('second', 4)] });
      expect((await failureOf(transaction.commit(rangeOf(successor, 2n)))).code).toBe('EOS_TARGET_CHANGED');
      expect((await failureOf(claim(fixture, grown))).code).toBe('EOS_TARGET_CHANGED');
      expect([await idsOf(fixture, 'second'), await offsets(fixture)]).toEqual([[2], [1]]);
    });
  }, 30_000);
});
