import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { collectTests } from './broken/collecting-runner.testing.js';
import { brokenSinks } from './broken/catalogue.testing.js';
import { conformance } from './conformance/conformance.js';
import { memoryDestination } from './memory/memory-destination.js';

test('the README lists every group of the suite, and every broken sink', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const create = async () => memoryDestination({});
  const tests = collectTests(expect, (runner) => conformance({ ...runner, create }));
  const listed = [...readme.matchAll(/^\| ([a-z][^|]*?) +\| /gm)].map(([, name]) => name);
  const groups = [...new Set(tests.map(({ group }) => group))];
  expect(listed).toEqual(expect.arrayContaining(groups));
  const list = readme.slice(readme.indexOf('| caught by'), readme.indexOf('</details>'));
  const rows = [...list.matchAll(/^\| (\w.*?) +\| (.+?) +\|$/gm)].map(([, group, name]) => [group, name]);
  const sorted = groups.flatMap((group) => brokenSinks.filter(({ caughtBy }) => caughtBy === group));
  expect(rows).toEqual([
    ['caught by', 'a sink that'],
    ...sorted.map(({ caughtBy, name }) => [caughtBy, name]),
  ]);
});
