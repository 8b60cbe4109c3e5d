import { conformance } from '@eos/testkit';
import { describe, expect, test } from '@jest/globals';
import { memoryDestination } from './conformance.testing.js';

conformance({
  describe,
  test,
  expect,
  name: 'delta in memory: append',
  create: () => memoryDestination('append'),
});
conformance({
  describe,
  test,
  expect,
  name: 'delta in memory: upsert by copy-on-write',
  create: () => memoryDestination('upsert'),
});
