import { describe, expect, test } from '@jest/globals';
import { elementStarts, expectedFlights, expectedRoutes } from './oracle.js';

describe('the oracle', () => {
  test('finds the byte of each element, whatever its strings hold', () => {
    const file = Buffer.from('[ {"a":"ä{[\\"}"},\n{"b":{"c":[{}]}} ,{"\\\\":1}]');
    const starts = elementStarts(file);
    expect(starts.map((start) => file[start])).toEqual([123, 123, 123]);
    expect(starts.map((start) => file.subarray(start, start + 4).toString())).toEqual([
      '{"a"',
      '{"b"',
      '{"\\\\',
    ]);
  });

  test('knows the flights by their byte', () => {
    const flight = '{"delay":-3,"distance":1452,"time":0.1}';
    expect([...expectedFlights(Buffer.from(`[${flight},${flight}]`))]).toEqual([
      ['1', '-3 1452 0.1'],
      [String(2 + flight.length), '-3 1452 0.1'],
    ]);
  });

  test('sums up the routes without what was cancelled', () => {
    const flights = Array.from({ length: 600 }, (_, index) => ({
      origin: index === 49 ? 'AAA' : 'BBB',
      destination: 'CCC',
      delay: 2,
    }));
    // The 50th and the 100th; the 150th has fewer than 500 behind it.
    expect([...expectedRoutes(Buffer.from(JSON.stringify(flights)))]).toEqual([['BBB-CCC', '598 1196']]);
  });
});
