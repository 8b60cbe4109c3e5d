import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { rowSchema, t } from '@eos/core';
import { describeWithService } from '@eos/services';
import { commit, context, failureOf, withDatabase, type Fixture } from '../database.testing.js';
import { postgresSink } from '../index.js';
import { encodedLines, foundLines, linesOf, snapshotOf, type Options } from './table-reader.testing.js';

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  const run = (work: (fixture: Fixture) => Promise<void>) => () => withDatabase(getService(), work);

  describe('a table that is read back', () => {
    test(
      'is that of one moment, and nobody waits for its reader',
      run(async (fixture) => {
        const options: Options = { table: 'flights', schema: rowSchema({ id: t.int64() }) };
        const session = await (await fixture.open(options)).recover(['0']);
        await commit(session, { rows: [{ id: 1 }, { id: 2 }] });
        const snapshot = await snapshotOf(fixture, options);
        const first = await foundLines(snapshot);
        await commit(session, { rows: [{ id: 3 }] });
        await fixture.query('DELETE FROM flights WHERE id = 1');
        expect(first.sort()).toEqual(['1', '2']);
        expect((await foundLines(snapshot)).sort()).toEqual(['1', '2']);
        expect(snapshot.positions.get('0')?.offset).toBe(1n);
        await snapshot.close();
        const later = await snapshotOf(fixture, options);
        expect((await foundLines(later)).sort()).toEqual(['2', '3']);
        expect(later.positions).toEqual(session.positions);
        await later.close();
      }),
    );

    test(
      'goes by the key of the sink, of the table, or the one asked for',
      run(async (fixture) => {
        const schema = rowSchema({ note: t.string().nullable(), part: t.int32(), id: t.int64() });
        const upsert: Options = { table: 'keyed', schema, mode: 'upsert', key: ['id', 'part'] };
        const session = await (await fixture.open(upsert)).recover(['0']);
        await commit(session, { rows: [{ id: 1, part: 2, note: 'a' }] });
        const keyed = await snapshotOf(fixture, upsert);
        expect([keyed.columns, keyed.keyColumns]).toEqual([['id', 'part', 'note'], 2]);
        expect(
          await encodedLines(keyed, {
            rows: [
              { id: 7n, part: 8 },
              { id: 1, part: 2, note: 'a' },
            ],
            ops: [3, 0],
          }),
        ).toEqual(['7\t8\t\\N', '1\t2\ta']);
        await keyed.close();
        const found = await snapshotOf(fixture, { table: 'keyed', schema });
        expect(found.keyColumns).toBe(2);
        await found.close();
        const asked = await snapshotOf(fixture, { table: 'keyed', schema }, ['note']);
        expect([asked.columns, asked.keyColumns]).toEqual([['note', 'part', 'id'], 1]);
        await asked.close();
        const wrong = await failureOf(snapshotOf(fixture, { table: 'keyed', schema }, ['nothing']));
        expect([wrong.code, wrong.details['option']]).toEqual(['EOS_CONFIG', 'key']);
      }),
    );

    test(
      'leaves out rows that do not fit, and says which',
      run(async (fixture) => {
        await fixture.query('CREATE TABLE hosts (id int NOT NULL, address inet)');
        const options: Options = { table: 'hosts' };
        const snapshot = await snapshotOf(fixture, options);
        const rows = [
          { id: 1, address: '10.0.0.1/32' },
          { id: 2, address: 'nowhere' },
          { id: null, address: null },
          { id: 2 ** 40, address: '::1' },
          { id: 5 },
          'no row',
        ];
        const { lines, leftOut } = await snapshot.encoder()({ partition: '0', rows });
        expect(linesOf(lines)).toEqual(['1\t10.0.0.1/32', '5\t\\N']);
        expect(leftOut).toEqual([1, 2, 3, 5]);
        expect(snapshot.positions.size).toBe(0);
        await snapshot.close();
      }),
    );

    test(
      'is not that of another table, and needs no more than SELECT',
      run(async (fixture) => {
        const options: Options = { table: 'flights', schema: rowSchema({ id: t.int64() }) };
        const sink = await fixture.open(options);
        await commit(await sink.recover(['0']), { rows: [{ id: 1 }] });
        await sink.close();
        const reader = {
          user: `reader_${new URL(fixture.database.url).pathname.slice(1)}`,
          password: 'secret',
        };
        await fixture.query(
          `CREATE ROLE ${reader.user} LOGIN PASSWORD 'secret'; GRANT SELECT ON flights TO ${reader.user}`,
        );
        const as = { connection: fixture.urlOf(reader), ...options };
        const read = async () => {
          const snapshot = await postgresSink(as).abilities?.readTable?.(context);
          if (snapshot === undefined) throw new Error('a table cannot be read');
          const lines = await foundLines(snapshot);
          await snapshot.close();
          return lines;
        };
        try {
          expect((await failureOf(read())).code).toBe('EOS_PERMISSION');
          await fixture.query(`GRANT USAGE ON SCHEMA eos TO ${reader.user};
            GRANT SELECT ON eos.claims, eos.positions, eos.targets TO ${reader.user}`);
          expect(await read()).toEqual(['1']);
          // A policy would hide rows.
          await fixture.query(
            `ALTER TABLE flights ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON flights USING (id > 5)`,
          );
          expect((await failureOf(read())).code).toBe('EOS_PERMISSION');
          await fixture.query(
            `DROP TABLE flights; CREATE TABLE flights (id bigint); GRANT SELECT ON flights TO ${reader.user}`,
          );
          expect((await failureOf(read())).code).toBe('EOS_TARGET_CHANGED');
        } finally {
          await fixture.query(`DROP OWNED BY ${reader.user}; DROP ROLE ${reader.user}`);
        }
      }),
    );

    test(
      'is read in whole lines however long they are, and its connection is given up with a reader that leaves',
      run(async (fixture) => {
        await fixture.query(`CREATE TABLE wide AS
          SELECT n AS id, repeat(chr(97 + n % 26), 1 + (n * 7919) % 40000) AS body FROM generate_series(1, 600) AS n`);
        await fixture.query(`INSERT INTO wide VALUES (0, repeat('é', 1500000))`);
        const snapshot = await snapshotOf(fixture, { table: 'wide' });
        const lines = (await foundLines(snapshot)).sort();
        const expected = await fixture.query<{ id: number; body: string }>('TABLE wide');
        expect(lines).toEqual(expected.map(({ id, body }) => `${id}\t${body}`).sort());
        for await (const block of snapshot.rows()) {
          expect(block.at(-1)).toBe(0x0a);
          break;
        }
        expect((await failureOf(foundLines(snapshot))).code).toBe('EOS_UNAVAILABLE');
        await snapshot.close();
      }),
    );
  });
});
