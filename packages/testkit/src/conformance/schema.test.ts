import { describe, expect, test } from '@jest/globals';
import { rowText } from '../oracle/row-text.js';
import { normalRow } from './schema.js';

const same = (left: object, right: object) =>
  rowText(normalRow({ ...left })) === rowText(normalRow({ ...right }));

describe('normalRow', () => {
  test('takes values in the forms that clients give them', () => {
    expect(same({ id: 5n, big: '9223372036854775807' }, { id: '5', big: 2n ** 63n - 1n })).toBe(true);
    expect(same({ ratio: 'NaN', small: '-3' }, { ratio: NaN, small: -3 })).toBe(true);
    expect(same({ ratio: '-0' }, { ratio: -0 })).toBe(true);
    expect(same({ moment: '1000' }, { moment: new Date(1) })).toBe(true);
    expect(
      same(
        { reference: 'ABCDEF00-0000-0000-0000-000000000000' },
        { reference: 'abcdef00-0000-0000-0000-000000000000' },
      ),
    ).toBe(true);
    expect(same({ raw: Buffer.from([1, 2]) }, { raw: Uint8Array.of(1, 2) })).toBe(true);
    expect(same({ id: 1n, name: null, added: 'by the sink' }, { id: 1n })).toBe(true);
  });

  test.each([
    ['-012.50', '-12.5'],
    ['0.000000000', '0'],
    ['-0', '0'],
    ['+1.5', '1.500'],
    ['100', '100.0'],
    ['0.5', '.5'],
  ])('takes %s and %s for the same decimal', (left, right) => {
    expect(same({ amount: left }, { amount: right })).toBe(true);
  });

  test('keeps apart what differs', () => {
    expect(same({ amount: '100' }, { amount: '1' })).toBe(false);
    expect(same({ amount: '1e3' }, { amount: '1000' })).toBe(false);
    expect(same({ ratio: 0 }, { ratio: -0 })).toBe(false);
    expect(same({ name: '' }, { name: null })).toBe(false);
    expect(same({ document: { a: null } }, { document: {} })).toBe(false);
    expect(same({ document: 'null' }, { document: null })).toBe(false);
    expect(same({ document: { a: 1, b: 2 } }, { document: { b: 2, a: 1 } })).toBe(true);
  });
});
