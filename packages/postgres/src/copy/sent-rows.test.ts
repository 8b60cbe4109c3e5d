import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { seed } from '../database.testing.js';
import { sentRows, type SentRows } from './sent-rows.js';

/** What the server says of a line that it rejects. */
function rejection(line: number): Error {
  const fields = { code: '22P02', severity: 'ERROR', where: `COPY flights, line ${line}, column id` };
  return Object.assign(new Error('invalid input'), fields);
}

const placeOf = (sent: SentRows, line: number) => {
  const { partition, offset } = sent.explain(rejection(line), 'flights').details;
  return [partition, offset];
};

const batch = fc.record({
  partition: fc.constantFrom('a', 'b', 'c'),
  count: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 500, max: 5000 })),
  hasOffsets: fc.boolean(),
  isFolded: fc.boolean(),
});

describe('the place of a line', () => {
  test(`is where its row came from, in batches of any size (seed ${seed})`, () => {
    fc.assert(
      fc.property(fc.array(batch, { minLength: 1, maxLength: 40 }), (batches) => {
        const sent = sentRows();
        const expected: unknown[] = [];
        let next = 0n;
        for (const { partition, count, hasOffsets, isFolded } of batches) {
          const offsets = BigInt64Array.from({ length: count }, () => (next += 3n));
          const rows = Array.from({ length: count }, () => ({}));
          // Every second row, from the last to the first.
          const places = isFolded
            ? Uint32Array.from({ length: Math.ceil(count / 2) }, (_, index) => count - 1 - 2 * index)
            : undefined;
          for (const place of places ?? rows.keys()) {
            expected.push([partition, hasOffsets ? offsets[place] : undefined]);
          }
          sent.add({ batch: { partition, rows, ...(hasOffsets ? { offsets } : {}) }, places });
          // The caller uses its array again.
          offsets.fill(-1n);
        }
        for (let line = 1; line <= expected.length; line += 97) {
          expect(placeOf(sent, line)).toEqual(expected[line - 1]);
        }
        expect(placeOf(sent, expected.length)).toEqual(expected.at(-1));
        expect(placeOf(sent, expected.length + 1)).toEqual([undefined, undefined]);
      }),
      { seed, numRuns: 50 },
    );
  });

  test('is kept for the latest lines, in memory that does not grow with the transaction', () => {
    setFlagsFromString('--expose-gc');
    // That flag puts it there.
    const collect = runInNewContext('gc') as () => void;
    const memory = () => {
      collect();
      const { heapUsed, arrayBuffers } = process.memoryUsage();
      return heapUsed + arrayBuffers;
    };
    const sent = sentRows();
    const before = memory();
    const lines = 1_200_000;
    for (let line = 1; line <= lines; line += 1) {
      const partition = line % 2 === 0 ? 'even' : 'odd';
      const offsets = BigInt64Array.of(BigInt(line));
      sent.add({ batch: { partition, rows: [{}], offsets }, places: undefined });
    }
    const grown = memory() - before;
    for (const line of [lines, lines - 1, lines - 500_000]) {
      expect(placeOf(sent, line)).toEqual([line % 2 === 0 ? 'even' : 'odd', BigInt(line)]);
    }
    expect(placeOf(sent, 1)).toEqual([undefined, undefined]);
    expect(grown).toBeLessThan(16_000_000);
  });
});
