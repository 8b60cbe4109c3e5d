import { describe, expect, test } from '@jest/globals';
import { EosError, isEosError } from './errors.js';
import { checkName, MAX_INT64, randomId } from './identifiers.js';

describe('errors', () => {
  test('are recognised by brand, so that another copy of the package is too', () => {
    const foreign = Object.assign(new Error('x'), {
      code: 'EOS_FENCED',
      [Symbol.for('@eos/core.EosError')]: true,
    });
    expect(isEosError(foreign)).toBe(true);
    expect(isEosError(foreign, 'EOS_FENCED')).toBe(true);
    expect(isEosError(foreign, 'EOS_ROW')).toBe(false);
    expect(isEosError(Object.assign(new Error('x'), { code: 'EOS_FENCED' }))).toBe(false);
    expect(isEosError(null)).toBe(false);
  });

  test('are not retryable and say aborted unless told otherwise, and keep their cause', () => {
    const cause = new Error('socket');
    expect(new EosError('EOS_ROW', 'bad', { cause })).toMatchObject({
      retryable: false,
      outcome: 'aborted',
      cause,
      details: {},
    });
  });
});

describe('identifiers', () => {
  test('are positive and fit 63 bits', () => {
    const ids = Array.from({ length: 1000 }, randomId);
    expect(ids.every((id) => id > 0n && id <= MAX_INT64)).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test.each(['', 'a b', 'ä', 'a/b', 'x'.repeat(129)])('refuse the name %j', (name) => {
    expect(() => checkName('pipeline id', name)).toThrow(expect.objectContaining({ code: 'EOS_CONFIG' }));
  });

  test('accept letters, digits, dot, underscore and hyphen', () => {
    expect(() => checkName('sink name', 'A-z_0.9')).not.toThrow();
  });
});
