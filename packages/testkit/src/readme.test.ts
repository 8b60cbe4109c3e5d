import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { collectTests } from './broken/collecting-runner.testing.js';
import { brokenSinks } from './broken/catalogue.testing.js';
import { conformance } from './conformance/conformance.js';
import { memoryDestination } from './memory/memory-destination.js';

test('the README lists every group of the suite, and counts the broken sinks right', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  const create = async () => memoryDestination({});
  const tests = collectTests(expect, (runner) => conformance({ ...runner, create }));
  const listed = [...readme.matchAll(/^\| ([a-z][^|]*?) +\| /gm)].map(([, name]) => name);
  expect(listed).toEqual(expect.arrayContaining([...new Set(tests.map(({ group }) => group))]));
  expect(brokenSinks.length).toBeGreaterThan(60);
});
