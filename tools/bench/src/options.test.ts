import { describe, expect, test } from '@jest/globals';
import { isWanted, parseOptions, UsageError } from './options.js';

describe('the command line', () => {
  test('without options measures at full size', () => {
    expect(parseOptions(['postgres'])).toMatchObject({
      rows: 1_000_000,
      runs: 5,
      commits: 1_000_000,
      json: false,
    });
  });

  test('--quick makes everything small, and what is given still counts', () => {
    const { rows, runs } = parseOptions(['postgres', '--quick', '--runs', '3']);
    expect(rows).toBeLessThan(100_000);
    expect(runs).toBe(3);
  });

  test('without a filter everything is wanted, with some what has one of them in its name', () => {
    expect(isWanted({ filters: [] }, 'postgres/recover')).toBe(true);
    expect(isWanted({ filters: ['append', 'recover'] }, 'postgres/recover')).toBe(true);
    expect(isWanted({ filters: ['append'] }, 'postgres/recover')).toBe(false);
  });

  test('takes several filters and numbers as people write them', () => {
    const options = parseOptions([
      'postgres',
      '--json',
      '--filter',
      'append',
      '--filter=recover',
      '--rows',
      '2_000',
    ]);
    expect(options).toMatchObject({ json: true, filters: ['append', 'recover'], rows: 2000 });
  });

  test.each([['--rows=0'], ['--rows=many'], ['--runs=1.5'], ['--nonsense'], ['s3', 'kafka']])(
    'refuses %s',
    (...args) => {
      expect(() => parseOptions(args)).toThrow(UsageError);
    },
  );
});
