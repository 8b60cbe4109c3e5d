import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  checkpointKey,
  checkpointPartKey,
  commitKey,
  dataKey,
  decodeDataPath,
  encodeDataPath,
  parseLogKey,
} from './paths.js';

const PLACE = { prefix: 'tables/t/' };

test.each([
  ['00000000000000000012.json', { kind: 'commit', version: 12 }],
  ['00000000000000000012.checkpoint.parquet', { kind: 'checkpoint', version: 12, part: 1, parts: 1 }],
  [
    '00000000000000000012.checkpoint.0000000002.0000000003.parquet',
    { kind: 'checkpoint', version: 12, part: 2, parts: 3 },
  ],
  [
    '00000000000000000012.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json',
    { kind: 'uuid-checkpoint', version: 12 },
  ],
  ['00000000000000000012.crc', { kind: 'sidecar', version: 12 }],
  ['00000000000000000001.00000000000000000012.compacted.json', { kind: 'sidecar', version: 12 }],
  ['_last_checkpoint', undefined],
  ['_staged_commits/00000000000000000012.json', undefined],
  ['0012.json', undefined],
  ['00000000000000000012.json.tmp', undefined],
])('%s', (name, parsed) => {
  expect(parseLogKey(PLACE, `tables/t/_delta_log/${name}`)).toEqual(parsed);
});

test('names that are made are understood', () => {
  expect(parseLogKey(PLACE, commitKey(PLACE, 7))).toEqual({ kind: 'commit', version: 7 });
  expect(parseLogKey(PLACE, checkpointKey(PLACE, 7))).toMatchObject({ kind: 'checkpoint', version: 7 });
  expect(parseLogKey(PLACE, checkpointPartKey(PLACE, 7, 2, 4))).toMatchObject({ part: 2, parts: 4 });
  expect(checkpointPartKey(PLACE, 7, 1, 1)).toBe(checkpointKey(PLACE, 7));
});

test('the path of any file is a URI that gives it back', () => {
  const segment = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => !text.includes('/'));
  fc.assert(
    fc.property(fc.array(segment, { minLength: 1, maxLength: 3 }), (segments) => {
      const path = segments.join('/');
      const encoded = encodeDataPath(path);
      expect(decodeDataPath(encoded)).toBe(path);
      expect(encoded).not.toMatch(/[ ?#:"<>\\^`{|}]/);
    }),
  );
});

test('what other writers encode is decoded', () => {
  expect(dataKey(PLACE, 'day=2024-01-01/a%2520b/part%20one.parquet')).toBe(
    'tables/t/day=2024-01-01/a%20b/part one.parquet',
  );
});

test.each(['s3://bucket/part.parquet', 'file:/part.parquet', '/part.parquet'])(
  'a file outside of the table is refused: %s',
  (path) => {
    expect(() => decodeDataPath(path)).toThrow(expect.objectContaining({ code: 'EOS_SCHEMA' }));
  },
);

test('a path that is no URI is told', () => {
  expect(() => decodeDataPath('100%.parquet')).toThrow(expect.objectContaining({ code: 'EOS_FORMAT' }));
});
