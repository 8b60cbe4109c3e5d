import { describe, expect, test } from '@jest/globals';
import { extent, median, percentile, slope } from './statistics.js';

describe('statistics', () => {
  test('the median does not depend on the order, and leaves the values as they were', () => {
    const values = [9, 1, 5];
    expect(median(values)).toBe(5);
    expect(values).toEqual([9, 1, 5]);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([10, 9])).toBe(9.5);
  });

  test('a percentile is a value that was measured', () => {
    const values = Array.from({ length: 200 }, (_, index) => 200 - index);
    expect(percentile(values, 0.5)).toBe(100);
    expect(percentile(values, 0.99)).toBe(198);
    expect(percentile(values, 1)).toBe(200);
    expect(percentile(values, 0)).toBe(1);
    expect(percentile([7], 0.99)).toBe(7);
  });

  test('numbers are ordered as numbers', () => {
    expect(median([10, 9, 100])).toBe(10);
    expect(extent([10, 9, 100])).toEqual([9, 100]);
  });

  test('nothing measured is an error, not a zero', () => {
    expect(() => median([])).toThrow(RangeError);
    expect(() => percentile([], 0.5)).toThrow(RangeError);
    expect(() => extent([])).toThrow(RangeError);
  });

  test('the slope is that of the line through the points', () => {
    expect(slope([1, 2, 3, 4].map((x) => ({ x, y: 3 * x + 7 })))).toBeCloseTo(3);
    expect(slope([1, 2, 3, 4].map((x) => ({ x, y: 5 })))).toBe(0);
    expect(slope([{ x: 2, y: 1 }])).toBe(0);
    // Noise around a flat line has none.
    expect(slope([0, 1, 2, 3].map((x) => ({ x, y: x % 3 === 0 ? 10 : 12 })))).toBeCloseTo(0);
  });
});
