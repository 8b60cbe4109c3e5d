import { describe, expect, test } from '@jest/globals';
import { parseOptions, UsageError } from './options.js';
import { MAX_SEED } from './random.js';

describe('the command line', () => {
  test('has defaults, and a seed of its own', () => {
    const options = parseOptions([]);
    expect(options).toMatchObject({ unsafe: false, keep: false });
    expect(options?.seed).toBeGreaterThanOrEqual(0);
    expect(options?.seed).toBeLessThanOrEqual(MAX_SEED);
  });

  test('takes every option', () => {
    expect(parseOptions(['--seed', '7', '--unsafe', '--keep'])).toEqual({
      seed: 7,
      unsafe: true,
      keep: true,
    });
    expect(parseOptions(['--help', '--keep'])).toBeUndefined();
  });

  test.each([
    ['--sede'],
    ['--seed'],
    ['--seed='],
    ['--seed', '-1'],
    ['--seed', '1.5'],
    ['--seed', '4294967296'],
    ['now'],
  ])('refuses %s %s', (...args) => {
    expect(() => parseOptions(args)).toThrow(UsageError);
  });
});
