/** A local folder, and a port in front of it that loses what is said. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { localObjectStore } from '@eos/object-store';
import { conformance } from '@eos/testkit';
import { describe, expect, test } from '@jest/globals';
import {
  destinationIn,
  NOTICED_MS,
  variantName,
  type Laboratory,
  type Variant,
} from './conformance.testing.js';
import { fastFolder } from './fast-folder.testing.js';
import { troubledStore } from './troubled-store.testing.js';

/** Declares the conformance suite for a local folder. */
export function conformanceInFolder(variant: Variant): void {
  conformance({
    describe,
    test,
    expect,
    name: `s3 in a local folder: ${variantName(variant)}`,
    create: async () => destinationIn(await localLaboratory(), variant),
  });
}

async function localLaboratory(): Promise<Laboratory> {
  const folder = await mkdtemp(join(fastFolder(), 'eos-s3-sink-'));
  const [root, saved] = [join(folder, 'store'), join(folder, 'saved')];
  const store = localObjectStore({ root });
  const { store: troubled, faults, outage } = troubledStore(localObjectStore({ root }));
  const prefix = 'tables/conformance/';
  return {
    options: { direct: { folder: root, prefix }, faulty: { store: troubled, prefix } },
    store,
    prefix,
    directory: root,
    faults,
    outage,
    history: {
      async save() {
        await rm(saved, { recursive: true, force: true });
        await cp(root, saved, { recursive: true });
      },
      async restore() {
        await rm(root, { recursive: true, force: true });
        await cp(saved, root, { recursive: true });
        await delay(NOTICED_MS);
      },
    },
    child: { folder: root, prefix },
    async close() {
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
