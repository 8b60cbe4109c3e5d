import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { eosPackage } from './eos-package.js';

test('the README explains every option of the sink, and no other', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const cells = [...readme.matchAll(/^\| (`.*?`) +\|/gm)].map(([, cell]) => cell ?? '');
  const named = cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name)).sort();
  const options = Object.keys(eosPackage.sinks?.['delta']?.options.properties ?? {});
  // An object store comes from a program only.
  expect(named).toEqual([...options, 'store'].sort());
});
