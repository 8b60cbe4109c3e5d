import { describe, expect, test } from '@jest/globals';
import { measurement, oursAtMost, ratioAtLeast } from './measurement.js';
import { detailLines, formatNumber, jsonLine, tableHead, tableLine } from './report.js';

const append = measurement({
  name: 'postgres/append/commit=5000/vs-copy',
  ours: 288_000,
  baseline: 300_000,
  unit: 'rows/s',
  runs: 5,
  target: ratioAtLeast(0.95),
  details: { commits: 200, 'least and most': [280_000.4, 310_000] },
});

describe('a measurement', () => {
  test('has its ratio, and tells whether the target was met', () => {
    expect(append).toMatchObject({ ratio: 0.96, met: true });
    expect(measurement({ ...partsOf(append), ours: 270_000 })).toMatchObject({ ratio: 0.9, met: false });
  });

  test('of something that nothing else does has neither baseline nor ratio', () => {
    const peak = { name: 'peak', unit: 'MB', runs: 1, target: oursAtMost(300) };
    expect(measurement({ ...peak, ours: 120 })).toMatchObject({ baseline: null, ratio: null, met: true });
    expect(measurement({ ...peak, ours: 301 })).toMatchObject({ met: false });
  });

  test('without a target is neither met nor missed', () => {
    const line = measurement({ name: 'p50', ours: 1, baseline: 2, unit: 'ms', runs: 5 });
    expect(line).not.toHaveProperty('target');
    expect(line).not.toHaveProperty('met');
  });

  test('cannot meet a target for a ratio that it does not have', () => {
    const line = { name: 'x', ours: 1, unit: 'ms', runs: 1, target: ratioAtLeast(0) };
    expect(measurement(line).met).toBe(false);
  });
});

describe('a report', () => {
  test('for programs is one line of JSON with the documented fields', () => {
    const text = jsonLine(append);
    expect(text).not.toContain('\n');
    expect(JSON.parse(text)).toEqual({
      name: 'postgres/append/commit=5000/vs-copy',
      ours: 288_000,
      baseline: 300_000,
      ratio: 0.96,
      unit: 'rows/s',
      runs: 5,
      target: { of: 'ratio', is: 'at least', value: 0.95 },
      met: true,
      details: { commits: 200, 'least and most': [280_000, 310_000] },
    });
  });

  test('for people shows the target beside the ratio', () => {
    expect(tableLine(append)).toMatch(/288,000 +300,000 +rows\/s +0\.96 +>= 0\.95 +met$/);
    expect(tableLine(measurement({ ...partsOf(append), ours: 1 }))).toMatch(/MISSED$/);
  });

  test('keeps its columns in line', () => {
    const [head = '', rule = ''] = tableHead().split('\n');
    const unit = head.indexOf('unit');
    expect(tableLine(append).indexOf('rows/s')).toBe(unit);
    expect(rule.startsWith('-----')).toBe(true);
  });

  test('lists what else was seen', () => {
    expect(detailLines(append)).toEqual(['    commits: 200', '    least and most: 280,000 … 310,000']);
  });

  test.each([
    [0.1234, '0.12'],
    [12.34, '12.3'],
    [123.4, '123'],
    [1_234_567.8, '1,234,568'],
    [-5.5, '-5.50'],
  ])('writes %p as %p', (value, text) => expect(formatNumber(value)).toBe(text));
});

function partsOf({ name, ours, unit, runs, target, baseline }: typeof append) {
  return { name, ours, unit, runs, ...(target === undefined ? {} : { target }), baseline: baseline ?? 0 };
}
