import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { objectStoreConformance } from '@eos/testkit/object-store';
import { describe, expect, test } from '@jest/globals';
import { localObjectStore } from './local-store.js';

objectStoreConformance({
  describe,
  test,
  expect,
  name: 'local files',
  reach: 'machine',
  create: async () => {
    const root = await mkdtemp(join(tmpdir(), 'eos-objects-'));
    return {
      open: () => localObjectStore({ root }),
      child: { module: new URL('../../testing/local-child.mjs', import.meta.url), options: { root } },
      close: () => rm(root, { recursive: true, force: true }),
    };
  },
});
