import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { describeWithService } from '@eos/services';
import fc from 'fast-check';
import { batchOf, rangeOf, seed, withDatabase, type Fixture, type Row } from '../database.testing.js';
import type { PostgresSinkOptions } from '../options.js';

const TABLE = `
  CREATE TABLE parents (id int PRIMARY KEY);
  INSERT INTO parents VALUES (1);
  CREATE TABLE readings (
    id int PRIMARY KEY,
    level int CHECK (level < 100),
    parent int REFERENCES parents,
    late int REFERENCES parents DEFERRABLE INITIALLY DEFERRED,
    note text
  )`;

/** What may be wrong with a row; most are good. */
const KINDS: readonly Row[] = [
  {},
  {},
  {},
  { level: 100 },
  { level: 'x' },
  { parent: 2 },
  { late: 2 },
  { note: '\ud800' },
];

interface Work {
  /** How many rows each transaction has, by batch. */
  readonly transactions: readonly (readonly number[])[];
  /** One row in so many is looked at for being bad. */
  readonly every: number;
  readonly kinds: readonly number[];
}

const work = fc.record({
  transactions: fc.array(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 3 }), {
    minLength: 1,
    maxLength: 3,
  }),
  every: fc.constantFrom(7, 40, 300),
  kinds: fc.array(fc.nat(KINDS.length - 1), { minLength: 1, maxLength: 9 }),
});

/** The row of an id, and whether it is good. */
function rowOf(id: number, { every, kinds }: Work): { readonly row: Row; readonly isGood: boolean } {
  const wrong = id % every === 0 ? KINDS[kinds[(id / every) % kinds.length] ?? 0] : {};
  const isGood = Object.keys(wrong ?? {}).length === 0;
  return { row: { id, level: id % 100, parent: 1, late: 1, note: 'tab\tand\nline', ...wrong }, isGood };
}

async function write(fixture: Fixture, options: Partial<PostgresSinkOptions>, script: Work): Promise<number> {
  const sink = await fixture.open({ table: 'readings', ...options });
  const session = await sink.recover(['0']);
  let id = 0;
  for (const batches of script.transactions) {
    const transaction = await session.begin();
    for (const size of batches) {
      const rows = Array.from({ length: size }, (_, index) => rowOf(id + index, script).row);
      await transaction.write(batchOf({ rows }, id));
      id += size;
    }
    await transaction.prepare();
    await transaction.commit(rangeOf(session, BigInt(id)));
  }
  await sink.close();
  return id;
}

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  for (const mode of ['append', 'upsert'] as const) {
    const options = mode === 'upsert' ? { mode, key: ['id'] } : { mode };
    test(`each row is in the table or among the dead letters, once, ${mode} (seed ${seed})`, async () => {
      await withDatabase(getService(), async (fixture) => {
        await fixture.query(TABLE);
        let run = 0;
        const property = fc.asyncProperty(work, async (script) => {
          run += 1;
          const deadLetterTable = `letters_${run}`;
          const rows = await write(
            fixture,
            { ...options, badRows: 'dead-letter', deadLetterTable, maxBadRows: Infinity },
            script,
          );
          const ids = Array.from({ length: rows }, (_, id) => id);
          const good = ids.filter((id) => rowOf(id, script).isGood);
          expect(await fixture.column('SELECT id FROM readings ORDER BY id')).toEqual(good);
          const letters = await fixture.query<{ id: number; place: number }>(
            `SELECT (row->>'id')::int AS id, row_offset::int AS place FROM ${deadLetterTable} ORDER BY 1`,
          );
          const bad = ids.filter((id) => !rowOf(id, script).isGood);
          expect(letters).toEqual(bad.map((id) => ({ id, place: id })));
          await fixture.query('TRUNCATE readings; DELETE FROM eos.positions; DELETE FROM eos.claims');
        });
        await fc.assert(property, { seed, numRuns: mode === 'append' ? 6 : 4 });
      });
    }, 180_000);
  }
});
