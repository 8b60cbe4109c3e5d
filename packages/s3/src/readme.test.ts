import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { eosPackage } from './eos-package.js';

test('the README explains every option', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const named = [...readme.matchAll(/^\| `(\w+)` +\|/gm)].map(([, name]) => name);
  const options = Object.keys(eosPackage.sinks?.['s3']?.options.properties ?? {});
  // An object store comes from a program only.
  expect(options).toHaveLength(16);
  expect(named).toEqual(expect.arrayContaining([...options, 'store']));
});
