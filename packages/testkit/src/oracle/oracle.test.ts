import { describe, expect, test } from '@jest/globals';
import { compareRows } from './compare-rows.js';
import { expectedRows, type Change } from './expected-rows.js';
import { rowText } from './row-text.js';

const [insert, updateBefore, updateAfter, remove] = [0, 1, 2, 3];

describe('expectedRows', () => {
  test('appends, keeping what is equal', () => {
    expect(expectedRows({ changelog: 'append' }, [{ row: { id: 1 } }, { row: { id: 1 } }])).toHaveLength(2);
    expect(() => expectedRows({ changelog: 'append' }, [{ op: remove, row: { id: 1 } }])).toThrow(RangeError);
  });

  test('keeps the last row of each key, and moves a row whose key changes', () => {
    const changes: Change<{ id: number; name?: string }>[] = [
      { op: insert, row: { id: 1, name: 'a' } },
      { op: insert, row: { id: 2, name: 'b' } },
      { op: updateBefore, row: { id: 1, name: 'a' } },
      { op: updateAfter, row: { id: 3, name: 'a' } },
      { op: remove, row: { id: 2 } },
    ];
    expect(expectedRows({ changelog: 'upsert', key: ['id'] }, changes)).toEqual([{ id: 3, name: 'a' }]);
    expect(() => expectedRows({ changelog: 'upsert' }, changes)).toThrow(RangeError);
  });

  test('counts equal rows, and refuses to take back what is not there', () => {
    const row = { id: 1 };
    const changes = [{ row }, { row }, { op: remove, row }];
    expect(expectedRows({ changelog: 'retract' }, changes)).toEqual([row]);
    const tooMany = [...changes, { op: remove, row }, { op: remove, row }];
    expect(() => expectedRows({ changelog: 'retract' }, tooMany)).toThrow(RangeError);
  });
});

describe('compareRows', () => {
  test('counts what is lost, doubled and wrong', () => {
    const expected = [{ id: 1 }, { id: 2 }, { id: 2 }, { id: 3 }];
    const found = [{ id: 2 }, { id: 2 }, { id: 2 }, { id: 3 }, { id: 4 }];
    expect(compareRows(expected, found)).toEqual({
      expected: 4,
      found: 5,
      lost: 1,
      duplicated: 1,
      wrong: 1,
      isExact: false,
      examples: [
        { problem: 'lost', expected: { id: 1 } },
        { problem: 'duplicated', found: { id: 2 } },
        { problem: 'wrong', found: { id: 4 } },
      ],
    });
  });

  test('with a key, a row that differs is wrong, and a second one doubled', () => {
    const expected = [
      { id: 1, name: 'a' },
      { id: 2, name: 'b' },
    ];
    const found = [
      { id: 2, name: 'B' },
      { id: 1, name: 'a' },
      { id: 1, name: 'a' },
    ];
    const comparison = compareRows(expected, found, { key: ['id'] });
    expect(comparison).toMatchObject({ lost: 0, duplicated: 1, wrong: 1, isExact: false });
    expect(comparison.examples).toContainEqual({
      problem: 'wrong',
      expected: { id: 2, name: 'b' },
      found: { id: 2, name: 'B' },
    });
  });

  test('one lost and one doubled do not cancel out', () => {
    expect(compareRows([{ id: 1 }, { id: 2 }], [{ id: 1 }, { id: 1 }])).toMatchObject({
      lost: 1,
      duplicated: 1,
    });
  });

  test('is exact for the same rows in another order, and keeps few examples', () => {
    expect(compareRows([{ id: 1 }, { id: 2 }], [{ id: 2 }, { id: 1 }]).isExact).toBe(true);
    const lost = compareRows(
      Array.from({ length: 100 }, (_, id) => ({ id })),
      [],
      { examples: 2 },
    );
    expect([lost.lost, lost.examples.length]).toEqual([100, 2]);
  });
});

test('rowText tells apart what a sink must keep, and nothing else', () => {
  expect(rowText({ a: 0 })).not.toBe(rowText({ a: -0 }));
  expect(rowText({ a: 'null' })).not.toBe(rowText({ a: null }));
  expect(rowText({ a: '1' })).not.toBe(rowText({ a: 1 }));
  expect(rowText({ a: 5n, b: null, c: new Date(1) })).toBe(rowText({ c: 1000n, a: 5, d: undefined }));
  expect(rowText({ a: Uint8Array.of(1, 255) })).toBe(rowText({ a: Buffer.from('01ff', 'hex') }));
  expect(rowText({ a: [1, { c: 2, b: 'x' }] })).toBe('{"a":[1,{"b":"x","c":2}]}');
  expect(rowText(Number.NaN)).toBe('NaN');
});
