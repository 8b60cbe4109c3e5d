import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checkKey } from '../keys.js';
import { pathOfKey, segmentOf } from './key-paths.js';

test.each([
  ['date=2026-01-31/part-0.snappy.parquet', 'date=2026-01-31/part-0.snappy.parquet'],
  ['_delta_log/_last_checkpoint', '_delta_log/_last_checkpoint'],
  ['_eos/log/00000000000000000001.json', '_eos/log/00000000000000000001.json'],
  ['price=1.5/x.csv.gz', 'price=1.5/x.csv.gz'],
  ['name=a.b/x%3A.csv', 'name=a.b/x%3A.csv'],
  ['a', 'a~f'],
  ['a/b', 'a/b~f'],
  ['v1.app/x.csv', 'v1.app~d/x.csv'],
  ['.eos-store/claims/x.csv', '~2Eeos-store/claims/x.csv'],
  ['nul.csv', '~6Eul.csv'],
  ['a:b?/x~f', 'a~3Ab~3F/x~7Ef~f'],
])('%s is the file %s', (key, path) => {
  expect(pathOfKey(key)).toBe(path);
});

describe('any two keys', () => {
  const odd = fc.stringMatching(/^[a~.:/ =fd%]{1,8}$/);
  const key = fc.oneof(odd, fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' })).filter((text) => {
    try {
      checkKey(text);
      return true;
    } catch {
      return false;
    }
  });

  test('have paths of their own, below the root, neither of which is a folder of the other', () => {
    fc.assert(
      fc.property(key, key, (one, other) => {
        const [a, b] = [pathOfKey(one), pathOfKey(other)];
        expect(a === b).toBe(one === other);
        expect(`${a}/`.startsWith(`${b}/`)).toBe(one === other);
        expect(a.split('/').some((name) => ['', '.', '..', '.eos-store'].includes(name))).toBe(false);
      }),
    );
  });

  test('are read back from their paths', () => {
    fc.assert(
      fc.property(key, (one) => {
        const names = pathOfKey(one).split('/');
        const segments = names.map((name, index) =>
          segmentOf(name, index === names.length - 1 ? 'file' : 'folder'),
        );
        expect(segments.join('/')).toBe(one);
      }),
    );
  });
});
