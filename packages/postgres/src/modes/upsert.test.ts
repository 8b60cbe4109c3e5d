import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Op, rowSchema, t, type SinkSession } from '@eos/core';
import { describeWithService } from '@eos/services';
import {
  batchOf,
  commit,
  context,
  failureOf,
  prepared,
  rangeOf,
  withDatabase,
  type Fixture,
  type Row,
} from '../database.testing.js';

const schema = rowSchema({ id: t.int64(), note: t.string().nullable() });
const { insert, updateBefore, updateAfter, delete: remove } = Op;

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  const run = (work: (fixture: Fixture) => Promise<void>) => () => withDatabase(getService(), work);

  async function flights(fixture: Fixture): Promise<SinkSession<Row>> {
    const sink = await fixture.open({ table: 'flights', mode: 'upsert', key: ['id'], schema });
    return sink.recover(['0']);
  }

  const found = async (fixture: Fixture) =>
    new Map(
      (await fixture.query<{ id: string; note: string }>('TABLE flights')).map(({ id, note }) => [id, note]),
    );

  describe('upsert', () => {
    test(
      'makes the table with its primary key',
      run(async (fixture) => {
        await flights(fixture);
        const definition = `SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'p' AND conrelid = 'flights'::regclass`;
        expect(await fixture.column(definition)).toEqual(['PRIMARY KEY (id)']);
      }),
    );

    test(
      'the last change of a key wins, within a batch and across batches',
      run(async (fixture) => {
        const session = await flights(fixture);
        await commit(
          session,
          {
            rows: [
              { id: 1, note: 'a' },
              { id: 2, note: 'b' },
              { id: 1n, note: 'c' },
            ],
          },
          { rows: [{ id: 3, note: 'd' }, { id: 2n }, { id: 4, note: 'e' }], ops: [insert, remove, insert] },
          { rows: [{ id: 2, note: 'f' }, { id: 4 }], ops: [updateAfter, updateBefore] },
        );
        expect(await found(fixture)).toEqual(
          new Map([
            ['1', 'c'],
            ['2', 'f'],
            ['3', 'd'],
          ]),
        );
      }),
    );

    test(
      'a key that was deleted and one that was never there may both be deleted, by the key alone',
      run(async (fixture) => {
        await fixture.query('CREATE TABLE flights (id bigint PRIMARY KEY, note text NOT NULL)');
        const session = await flights(fixture);
        await commit(session, {
          rows: [
            { id: 1, note: 'a' },
            { id: 2, note: 'b' },
          ],
        });
        await commit(session, { rows: [{ id: 1 }, { id: 9 }], ops: [remove, updateBefore] });
        await commit(session, {
          rows: [{ id: 1 }, { id: 1, note: 'z' }, { id: 1 }],
          ops: [remove, insert, remove],
        });
        expect(await found(fixture)).toEqual(new Map([['2', 'b']]));
      }),
    );

    test(
      'new keys go in directly, and the first one that is there sends all of them the other way',
      run(async (fixture) => {
        const session = await flights(fixture);
        const expected = new Map<string, string>();
        const write = async (
          note: string,
          ...ranges: readonly (readonly [first: number, count: number])[]
        ) => {
          const batches = ranges.map(([first, count]) =>
            Array.from({ length: count }, (_, index) => ({ id: first + index, note })),
          );
          for (const { id } of batches.flat()) expected.set(String(id), note);
          await commit(session, ...batches.map((rows) => ({ rows })));
        };
        const pause = async () => {
          for (let count = 0; count < 70; count += 1) await write('pause', [100_000 + count, 1]);
        };
        await write('new', [0, 5000], [5000, 5000]);
        await write('first batch', [9000, 3000], [20_000, 10]);
        await pause();
        await write('second batch', [30_000, 3000], [500, 3000]);
        await pause();
        await write('last row', [50_000, 9000], [0, 1]);
        await pause();
        await write('repeated in the transaction', [60_000, 3000], [62_999, 10]);
        expect(await found(fixture)).toEqual(expected);
      }),
    );

    test(
      'a large transaction is kept in parts: a key that is there is found in any of them',
      run(async (fixture) => {
        const wide = 'x'.repeat(1000);
        const rows = (first: number) =>
          Array.from({ length: 5000 }, (_, index) => ({ id: first + index, note: wide }));
        const session = await flights(fixture);
        await commit(session, { rows: [{ id: 24_999, note: 'old' }] });
        await commit(session, ...[0, 5000, 10_000, 15_000, 20_000].map((first) => ({ rows: rows(first) })));
        expect(
          await fixture.query('SELECT count(*)::int, count(DISTINCT note)::int AS notes FROM flights'),
        ).toEqual([{ count: 25_000, notes: 1 }]);
      }),
    );

    test(
      'more keys than are remembered are merged all the same',
      run(async (fixture) => {
        const session = await flights(fixture);
        const rows = (first: number, note: string) =>
          Array.from({ length: 30_000 }, (_, index) => ({ id: first + index, note }));
        await commit(
          session,
          ...[0, 1, 2, 3, 4].map((part) => ({ rows: rows(part * 30_000, 'a') })),
          { rows: rows(0, 'b') },
          { rows: rows(10_000, 'c') },
        );
        expect(await fixture.query('SELECT note, count(*)::int FROM flights GROUP BY 1 ORDER BY 1')).toEqual([
          { note: 'a', count: 110_000 },
          { note: 'b', count: 10_000 },
          { note: 'c', count: 30_000 },
        ]);
      }),
    );

    test(
      'columns that are not written keep their values',
      run(async (fixture) => {
        await fixture.query(
          `CREATE TABLE flights (id bigint PRIMARY KEY, note text, mine text DEFAULT 'default')`,
        );
        const session = await flights(fixture);
        await commit(session, { rows: [{ id: 1, note: 'a' }] });
        await fixture.query(`UPDATE flights SET mine = 'changed'`);
        await commit(session, { rows: [{ id: 1, note: 'b' }], ops: [updateAfter] });
        expect(await fixture.query('TABLE flights')).toEqual([{ id: '1', note: 'b', mine: 'changed' }]);
      }),
    );

    test(
      'the key may be all there is, or several columns in any order of the index',
      run(async (fixture) => {
        await fixture.query(
          'CREATE TABLE pairs (a int, b text, UNIQUE (b, a) INCLUDE (a)); CREATE TABLE ids (id uuid PRIMARY KEY)',
        );
        const pairs = await fixture.open({ table: 'pairs', mode: 'upsert', key: ['a', 'b'] });
        const session = await pairs.recover(['0']);
        for (const round of [1, 2]) {
          await commit(session, {
            rows: [
              { a: 1, b: 'x\ty' },
              { a: 1, b: 'x' },
              { a: round, b: 'z' },
            ],
          });
        }
        expect(await fixture.query('TABLE pairs ORDER BY a, b')).toHaveLength(4);
        const ids = await fixture.open(
          { table: 'ids', mode: 'upsert', key: ['id'] },
          { ...context, sink: 'ids' },
        );
        const id = 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11';
        const other = await ids.recover(['0']);
        await commit(other, { rows: [{ id }, { id: id.toLowerCase() }] }, { rows: [{ id }] });
        await commit(other, { rows: [{ id }] });
        expect(await fixture.column('SELECT id FROM ids')).toEqual([id.toLowerCase()]);
      }),
    );

    test(
      'rows of a partitioned table find their partition',
      run(async (fixture) => {
        await fixture.query(`
          CREATE TABLE flights (id bigint PRIMARY KEY, note text) PARTITION BY RANGE (id);
          CREATE TABLE low PARTITION OF flights FOR VALUES FROM (0) TO (10);
          CREATE TABLE high PARTITION OF flights FOR VALUES FROM (10) TO (20)`);
        const session = await flights(fixture);
        await commit(session, { rows: [{ id: 1 }, { id: 11 }] });
        await commit(session, {
          rows: [{ id: 1, note: 'a' }, { id: 12 }, { id: 11 }],
          ops: [insert, insert, remove],
        });
        expect(await fixture.query('SELECT * FROM ONLY low')).toEqual([{ id: '1', note: 'a' }]);
        expect(await fixture.column('SELECT id FROM ONLY high')).toEqual(['12']);
      }),
    );

    test(
      'a null in the key is told with its row',
      run(async (fixture) => {
        const session = await flights(fixture);
        const transaction = await session.begin();
        const failure = await failureOf(transaction.write(batchOf({ rows: [{ id: 1 }, { note: 'a' }] }, 40)));
        expect(failure).toMatchObject({
          code: 'EOS_ROW',
          details: { partition: '0', offset: 41n, column: 'id' },
        });
      }),
    );

    test(
      'a key that is there is found, whichever constraint is the first to refuse the row',
      run(async (fixture) => {
        await fixture.query(`
          CREATE TABLE flights (id bigint, note text, EXCLUDE USING btree (note WITH =));
          ALTER TABLE flights ADD PRIMARY KEY (id)`);
        const session = await flights(fixture);
        const rows = [
          { id: 1, note: 'a' },
          { id: 2, note: 'b' },
        ];
        await commit(session, { rows });
        await commit(session, { rows: [...rows, { id: 3, note: 'c' }] });
        expect(await found(fixture)).toEqual(
          new Map([
            ['1', 'a'],
            ['2', 'b'],
            ['3', 'c'],
          ]),
        );
      }),
    );

    test(
      'a row that another constraint rejects is told, direct or staged',
      run(async (fixture) => {
        await fixture.query(
          "CREATE TABLE flights (id bigint PRIMARY KEY, note text UNIQUE CHECK (note <> 'no'))",
        );
        const session = await flights(fixture);
        for (const second of [insert, updateAfter]) {
          for (const [note, constraint] of [
            ['no', 'flights_note_check'],
            ['a', 'flights_note_key'],
          ] as const) {
            const transaction = await session.begin();
            const rows = [
              { id: 1, note: 'a' },
              { id: 2, note },
            ];
            await transaction.write(batchOf({ rows, ops: [insert, second] }));
            const failure = await failureOf(transaction.prepare());
            expect(failure).toMatchObject({ code: 'EOS_ROW', outcome: 'aborted', details: { constraint } });
            await transaction.rollback();
          }
        }
        expect(await found(fixture)).toEqual(new Map());
      }),
    );
  });

  test(
    'what one transaction left is seen by the next, also while it is committing',
    run(async (fixture) => {
      const session = await flights(fixture);
      const first = await prepared(session, {
        rows: [
          { id: 1, note: 'a' },
          { id: 2, note: 'a' },
        ],
      });
      const committing = first.commit(rangeOf(session, 1n));
      const second = await session.begin();
      await second.write(
        batchOf({
          rows: [
            { id: 1, note: 'b' },
            { id: 3, note: 'b' },
          ],
        }),
      );
      await committing;
      await second.prepare();
      await second.commit(rangeOf(session, 2n));
      const third = await session.begin();
      await third.write(batchOf({ rows: [{ id: 1 }, { id: 4, note: 'c' }], ops: [remove, insert] }));
      await third.prepare();
      await third.commit(rangeOf(session, 3n));
      expect(await found(fixture)).toEqual(
        new Map([
          ['2', 'a'],
          ['3', 'b'],
          ['4', 'c'],
        ]),
      );
    }),
  );
});
