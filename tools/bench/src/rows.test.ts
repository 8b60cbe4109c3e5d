import { describe, expect, test } from '@jest/globals';
import { existingKeys, tenPercentDeletes, type Changelog } from './changes.js';
import { repeatedRows } from './generated-source.js';
import { makeRows, schema, shuffle } from './rows.js';

describe('the rows', () => {
  test('are the same each time, and others for another seed', () => {
    expect(makeRows(300)).toEqual(makeRows(300));
    expect(makeRows(300)).not.toEqual(makeRows(300, { seed: 2 }));
  });

  test('have the six columns, ascending keys, nulls, and what a text format must escape', () => {
    const rows = makeRows(1_000, { first: 10 });
    expect(Object.keys(rows[0] ?? {})).toEqual(schema.names);
    expect(rows.map(({ id }) => id)).toEqual(rows.map((_, index) => BigInt(10 + index)));
    const notes = rows.map(({ note }) => note);
    expect(notes.filter((note) => note === null).length).toBeGreaterThan(200);
    expect(notes.filter((note) => note !== null && /[\t\n\\]/.test(note ?? '')).length).toBeGreaterThan(2);
  });

  test('a shuffle loses none', () => {
    const list = Array.from({ length: 500 }, (_, index) => index);
    const shuffled = shuffle([...list], 1);
    expect(shuffled).not.toEqual(list);
    expect([...shuffled].sort((a, b) => a - b)).toEqual(list);
  });

  test('repeated rows are as many as asked for', () => {
    expect(repeatedRows(25_000)).toHaveLength(25_000);
    expect(repeatedRows(7)).toHaveLength(7);
  });
});

describe('the changelogs', () => {
  const before = makeRows(5_000);

  test.each([
    ['existing keys', existingKeys(before)],
    ['ten percent deletes', tenPercentDeletes(before)],
  ])('%s: each key once, and the table ends as announced', (_, changelog) => {
    expect(changelog.rows).toHaveLength(before.length);
    expect(changelog.ops).toHaveLength(before.length);
    expect(new Set(changelog.rows.map(({ id }) => id)).size).toBe(before.length);
    expect(apply(changelog).size).toBe(changelog.after);
  });

  test('a tenth of the mixed one are deletes, of keys that are there', () => {
    const { rows, ops = [] } = tenPercentDeletes(before);
    const deleted = rows.filter((__, index) => ops[index] === '-D');
    expect(deleted.length / rows.length).toBeCloseTo(0.1, 1);
    expect(deleted.every(({ id }) => id <= before.length)).toBe(true);
  });
});

function apply({ before, rows, ops = [] }: Changelog): Set<bigint | number> {
  const keys = new Set(before.map(({ id }) => id));
  for (const [index, { id }] of rows.entries()) {
    if (ops[index] === '-D') keys.delete(id);
    else keys.add(id);
  }
  return keys;
}
