/** The suite under Node's own test runner, with nothing but `assert` to expect with. */
import { deepStrictEqual } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { conformance } from '@eos/testkit';
import { memoryDestination } from '../dist/memory/memory-destination.js';

conformance({
  describe,
  test,
  expect: (actual) => ({ toEqual: (expected) => deepStrictEqual(actual, expected) }),
  create: async () => memoryDestination({ mode: process.argv[2] ?? 'append' }),
});
