import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Op, isRetraction } from './changes.js';
import { consolidateByKey, consolidateRows } from './consolidate.js';
import { rowSchema, t } from './schema.js';

interface Row {
  readonly key: number;
  readonly value: string;
}

const change = fc.record({
  row: fc.record({ key: fc.integer({ min: 0, max: 4 }), value: fc.constantFrom('a', 'b', 'c') }),
  op: fc.constantFrom(Op.insert, Op.updateBefore, Op.updateAfter, Op.delete),
});

const changesOf = (list: readonly { row: Row; op: number }[]) => ({
  rows: list.map(({ row }) => row),
  ops: Uint8Array.from(list, ({ op }) => op),
});

describe('consolidate with a key', () => {
  test('has the effect of the changes one by one, on any state before', () => {
    fc.assert(
      fc.property(fc.array(change), fc.array(change), (before, list) => {
        const oneByOne = new Map<number, Row>();
        for (const { row } of before) oneByOne.set(row.key, row);
        const folded = new Map(oneByOne);
        for (const { row, op } of list) {
          if (isRetraction(op)) oneByOne.delete(row.key);
          else oneByOne.set(row.key, row);
        }
        const { deletes, upserts } = consolidateByKey(changesOf(list), ['key']);
        for (const row of deletes) folded.delete(row.key);
        for (const row of upserts) folded.set(row.key, row);
        const sorted = (rows: Map<number, Row>) =>
          [...rows.values()].sort((left, right) => left.key - right.key);
        expect(sorted(folded)).toEqual(sorted(oneByOne));
        const keys = [...deletes, ...upserts].map((row) => row.key);
        expect(new Set(keys).size).toBe(keys.length);
      }),
    );
  });

  test('keeps the delete where +I and -D of a key cancel in one batch', () => {
    const row = { key: 1, value: 'a' };
    const { deletes, upserts } = consolidateByKey(
      { rows: [row, row], ops: Uint8Array.of(Op.insert, Op.delete) },
      ['key'],
    );
    expect({ deletes, upserts }).toEqual({ deletes: [row], upserts: [] });
  });

  test('makes a key change a delete of the old and an insert of the new', () => {
    const rows = [
      { key: 1, value: 'a' },
      { key: 2, value: 'a' },
    ];
    const ops = Uint8Array.of(Op.updateBefore, Op.updateAfter);
    expect(consolidateByKey({ rows, ops }, ['key'])).toEqual({ deletes: [rows[0]], upserts: [rows[1]] });
  });

  test('compares composite keys by value: numbers as bigints, 1 and "1" apart, no ambiguity at the seams', () => {
    const rows = [
      { a: 1, b: 'x' },
      { a: 1n, b: 'x' },
      { a: '1', b: 'x' },
      { a: 'p,"q', b: 'r' },
      { a: 'p', b: 'q,"r' },
    ];
    expect(consolidateByKey<{ a: unknown; b: string }>({ rows }, ['a', 'b']).upserts).toEqual(rows.slice(1));
  });
});

describe('keys', () => {
  const schema = rowSchema({ id: t.uuid(), price: t.decimal(), n: t.int64() });
  const [lower, upper] = ['0a0a0a0a-0000-4000-8000-00000000000a', '0A0A0A0A-0000-4000-8000-00000000000A'];

  test('are the same value whatever its text, where the schema says so', () => {
    const rows = [
      { id: lower, price: '1.50', n: 1 },
      { id: upper, price: '+01.5', n: 1n },
    ];
    const ops = Uint8Array.of(Op.insert, Op.delete);
    expect(consolidateByKey<object>({ rows, ops }, ['id', 'price', 'n'], schema)).toEqual({
      deletes: [rows[1]],
      upserts: [],
    });
  });

  test.each([
    [['0', '-0.00', '+0'], 1],
    [['-1', '1'], 2],
    [['10', '1', '100'], 3],
    [['.5', '0.50'], 1],
  ])('decimals %j are %i values', (prices, count) => {
    const rows = prices.map((price) => ({ price }));
    expect(consolidateByKey({ rows }, ['price'], schema).upserts).toHaveLength(count);
  });

  test('must not be null or missing', () => {
    for (const row of [{}, { id: null }]) {
      expect(() => consolidateByKey({ rows: [row] }, ['id'])).toThrow(
        expect.objectContaining({ code: 'EOS_ROW' }),
      );
    }
  });
});

describe('consolidate without a key', () => {
  test('is a multiset in which changes cancel exactly', () => {
    fc.assert(
      fc.property(fc.array(change), (list) => {
        const expected = new Map<string, number>();
        for (const { row, op } of list) {
          const text = JSON.stringify([row.key, row.value]);
          expected.set(text, (expected.get(text) ?? 0) + (isRetraction(op) ? -1 : 1));
        }
        const found = consolidateRows(changesOf(list)).map(({ row, count }): [string, number] => [
          JSON.stringify([row.key, row.value]),
          count,
        ]);
        expect(new Map(found)).toEqual(new Map([...expected].filter(([, count]) => count !== 0)));
      }),
    );
  });

  test('tells a JSON null from a member that is not there', () => {
    const rows = [{ document: { x: null } }, { document: {} }];
    expect(consolidateRows<object>({ rows, ops: Uint8Array.of(Op.insert, Op.delete) })).toHaveLength(2);
  });

  test('knows NaN, null, bytes, dates and nested values as equal to themselves', () => {
    const row = () => ({
      a: NaN,
      b: null,
      c: Uint8Array.of(1, 2),
      d: new Date(5),
      e: { y: [1], x: undefined },
    });
    const same = { ...row(), b: undefined, d: 5000n };
    expect(
      consolidateRows<object>({ rows: [row(), same], ops: Uint8Array.of(Op.insert, Op.delete) }),
    ).toEqual([]);
  });
});
