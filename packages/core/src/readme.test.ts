import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { ERROR_CODES } from './errors.js';

test('the README explains every error code in the words of the code', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8').replaceAll(/\s+/g, ' ');
  for (const [code, meaning] of Object.entries(ERROR_CODES)) {
    expect(readme).toContain(`| \`${code}\` | ${meaning} |`);
  }
});
