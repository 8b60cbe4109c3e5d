import { conformance } from '@eos/testkit';
import { describe, expect, test } from '@jest/globals';
import { localDestination } from './conformance.testing.js';

conformance({
  describe,
  test,
  expect,
  name: 'delta in a local folder: upsert by copy-on-write',
  create: () => localDestination('upsert'),
});
