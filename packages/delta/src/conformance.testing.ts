/** The harness of the conformance suite: a folder for each test, in a store that loses what is said to it. */
import { existsSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SinkConnector } from '@eos/core';
import { localObjectStore, memoryBucket, memoryObjectStore, type MemoryBucket } from '@eos/object-store';
import { conformanceKey, conformanceSchema, type ConformanceRow, type Destination } from '@eos/testkit';
import { deltaSink, type DeltaSinkOptions, type Mode } from './index.js';
import { TableReader } from './reading.testing.js';
import { troubledStore } from './troubled-store.testing.js';

export const CHILD = new URL('../testing/conformance-child.mjs', import.meta.url);
export const TABLE = 'tables/conformance';

export function connectorOf(
  where: Pick<DeltaSinkOptions, 'store' | 'folder' | 'path'>,
  mode: Mode,
  options: Partial<DeltaSinkOptions> = {},
): SinkConnector<ConformanceRow> {
  const key = mode === 'upsert' ? { key: conformanceKey } : {};
  return deltaSink({ ...key, ...options, path: TABLE, ...where, mode, schema: conformanceSchema });
}

/** In memory where there is such a thing: what the disk does to a put is tested with the store of files. */
export function fastFolder(): string {
  return existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
}

export async function localDestination(mode: Mode): Promise<Destination> {
  const folder = await mkdtemp(join(fastFolder(), 'eos-delta-'));
  const [root, saved] = [join(folder, 'store'), join(folder, 'saved')];
  const store = localObjectStore({ root });
  const { store: troubled, faults, outage } = troubledStore(localObjectStore({ root }));
  const reader = new TableReader(store, `${TABLE}/`, root);
  return {
    connector: (route) => connectorOf(route === 'direct' ? { folder: root } : { store: troubled }, mode),
    rows: () => reader.rows(),
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
      },
    },
    // The positions lie in the log of the table: who drops the one drops the other.
    recreate: undefined,
    child: { module: CHILD, options: { place: { folder: root }, path: TABLE, mode } },
    async close() {
      await reader.close();
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** The same in memory, where nothing outlives the process. */
export async function memoryDestination(mode: Mode): Promise<Destination> {
  const bucket = memoryBucket();
  const store = memoryObjectStore(bucket);
  const { store: troubled, faults, outage } = troubledStore(store);
  const reader = new TableReader(store, `${TABLE}/`);
  let restore = (): void => undefined;
  return {
    connector: (route) => {
      const connector = connectorOf({ store: route === 'direct' ? store : troubled }, mode);
      return { ...connector, capabilities: { ...connector.capabilities, durable: false } };
    },
    rows: () => reader.rows(),
    faults,
    outage,
    history: {
      save: async () => {
        restore = savedState(bucket);
      },
      restore: async () => restore(),
    },
    recreate: undefined,
    child: undefined,
    close: () => reader.close(),
  };
}

function savedState({ objects }: MemoryBucket): () => void {
  const saved = new Map(objects);
  return () => {
    objects.clear();
    for (const [key, object] of saved) objects.set(key, object);
  };
}
