/** `node --test` proves the sink. With jest or vitest, `expect` is their own. */
import { deepStrictEqual } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { conformance } from '@eos/testkit';
import { folderDestination } from './folder-destination.mjs';

conformance({
  describe,
  test,
  expect: (actual) => ({ toEqual: (expected) => deepStrictEqual(actual, expected) }),
  name: 'a folder',
  create: folderDestination,
});
