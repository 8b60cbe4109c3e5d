import { objectStoreConformance } from '@eos/testkit/object-store';
import { describe, expect, test } from '@jest/globals';
import { memoryBucket, memoryObjectStore } from './memory-store.js';

objectStoreConformance({
  describe,
  test,
  expect,
  name: 'memory',
  reach: 'process',
  create: async () => {
    const bucket = memoryBucket();
    return { open: () => memoryObjectStore(bucket), close: async () => undefined };
  },
});
