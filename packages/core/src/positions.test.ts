import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MAX_INT64 } from './identifiers.js';
import { initialPosition, nextPosition, parsePosition, positionText, type Position } from './positions.js';

const number63 = fc.bigInt({ min: 0n, max: MAX_INT64 });

const positions: fc.Arbitrary<Position> = fc.record(
  {
    epoch: number63,
    offset: fc.option(number63),
    txId: fc.option(number63),
    owner: number63,
    source: fc.option(fc.dictionary(fc.string(), fc.string())),
    target: fc.string(),
    watermark: number63,
    readTo: number63,
    plan: number63,
  },
  { requiredKeys: ['epoch', 'offset', 'txId', 'owner', 'source', 'target'] },
);

describe('positions', () => {
  test('survive their text, with all 63 bits', () => {
    fc.assert(
      fc.property(positions, (position) => {
        expect(parsePosition(positionText(position))).toEqual(position);
      }),
    );
  });

  test('have a text with sorted keys and decimal strings', () => {
    expect(positionText(initialPosition(7n, 'table'))).toBe(
      '{"epoch":"0","offset":null,"owner":"7","source":null,"target":"table","txId":null}',
    );
  });

  test.each([
    '',
    '[]',
    '{}',
    '{"epoch":0}',
    positionText(initialPosition(1n, 't')).replace('"0"', '"9223372036854775808"'),
    positionText(initialPosition(1n, 't')).replace('"source":null', '"source":3'),
  ])('refuse the text %s', (text) => {
    expect(() => parsePosition(text)).toThrow(expect.objectContaining({ code: 'EOS_FORMAT' }));
  });

  test('advance by one epoch and keep owner and target', () => {
    const advance = { offset: 10n, source: { kind: 'file' }, plan: 3n };
    expect(nextPosition(initialPosition(7n, 'table'), advance, 42n)).toEqual({
      epoch: 1n,
      offset: 10n,
      txId: 42n,
      owner: 7n,
      source: { kind: 'file' },
      target: 'table',
      plan: 3n,
    });
  });
});
