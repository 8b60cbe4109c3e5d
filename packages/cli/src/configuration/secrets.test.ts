import { expect, test } from '@jest/globals';
import { newSecrets } from './secrets.js';
import { nearest } from './suggest.js';

test('values and the passwords of URLs are replaced by the name of their variable, the longest first', () => {
  const secrets = newSecrets();
  secrets.add('DATABASE_URL', 'postgresql://me:p%40ss%24word@host/db');
  secrets.add('TABLE', 'visits');
  secrets.add('SHORT', 'abc');
  secrets.add('FLAG', 'true');
  expect(secrets.hide('no postgresql://me:p%40ss%24word@host/db here')).toBe('no ${DATABASE_URL} here');
  expect(secrets.hide('p%40ss%24word and p@ss$word for visits_2, abc, true')).toBe(
    '${DATABASE_URL} and ${DATABASE_URL} for ${TABLE}_2, abc, true',
  );
});

test.each([
  ['tabel', 'table'],
  ['Table', 'table'],
  ['lockTimeout', 'lockTimeoutMs'],
  ['conection', 'connection'],
  ['key', 'key'],
  ['x', undefined],
  ['password', undefined],
  ['y'.repeat(10_000), undefined],
])('%j may have been %j', (text, expected) => {
  expect(nearest(text, ['table', 'key', 'connection', 'lockTimeoutMs', 'columns'])).toBe(expected);
});
