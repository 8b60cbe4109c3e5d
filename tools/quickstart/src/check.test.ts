import { describe, expect, test } from '@jest/globals';
import { checkRows, isExact, sumOf, type FoundRow } from './check.js';

const expected = new Map([
  ['1', 'a'],
  ['2', 'a'],
  ['3', 'b'],
]);
const all: readonly FoundRow[] = [...expected];
const exact = { expected: 3, found: 3, lost: 0, duplicated: 0, wrong: 0 };

describe('the check', () => {
  test('finds nothing where nothing is wrong, in any order', () => {
    expect(checkRows(expected, all)).toEqual(exact);
    expect(isExact(checkRows(expected, all.toReversed()))).toBe(true);
  });

  const planted: [name: string, rows: FoundRow[], difference: Partial<typeof exact>][] = [
    ['a lost row', all.slice(1), { found: 2, lost: 1 }],
    ['all rows lost', [], { found: 0, lost: 3 }],
    ['a doubled row', [...all, ['1', 'a']], { found: 4, duplicated: 1 }],
    ['a row that is there three times', [...all, ['1', 'a'], ['1', 'a']], { found: 5, duplicated: 2 }],
    [
      'one row lost and another doubled: the number is right',
      [
        ['1', 'a'],
        ['1', 'a'],
        ['3', 'b'],
      ],
      { lost: 1, duplicated: 1 },
    ],
    ['a row with another value', [['1', 'x'], ...all.slice(1)], { wrong: 1 }],
    ['a row that nobody expects', [...all, ['9', 'a']], { found: 4, wrong: 1 }],
  ];
  for (const [name, rows, difference] of planted) {
    test(`finds ${name}`, () => {
      const check = checkRows(expected, rows);
      expect(check).toEqual({ ...exact, ...difference });
      expect(isExact(check)).toBe(false);
    });
  }

  test('sums up', () => {
    const one = checkRows(expected, all.slice(1));
    expect(sumOf([one, one])).toEqual({ expected: 6, found: 4, lost: 2, duplicated: 0, wrong: 0 });
  });
});
