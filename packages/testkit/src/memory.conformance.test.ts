import { describe, expect, test } from '@jest/globals';
import { conformance } from './conformance/conformance.js';
import { memoryDeadLetterSink } from './memory/dead-letters.js';
import { memoryDestination } from './memory/memory-destination.js';

// Upserts run under node:test.
for (const mode of ['append', 'retract'] as const) {
  conformance({
    describe,
    test,
    expect,
    name: `memory, ${mode}`,
    create: async () => memoryDestination({ mode }),
  });
}

conformance({
  describe,
  test,
  expect,
  name: 'memory, dead letters',
  create: async () => memoryDestination({ connect: memoryDeadLetterSink }),
});
