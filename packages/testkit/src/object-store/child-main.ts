/** The child process of the suite for object stores: opens the author's store and does what it is asked. */
import { messageOf } from '@eos/core';
import type { ObjectStore } from '@eos/object-store';
import { runJob, type ChildJob, type ChildMessage } from './child-jobs.js';

interface ChildRequest {
  readonly module: string;
  readonly options: unknown;
  readonly job: ChildJob;
}

type OpenStore = (options: unknown) => ObjectStore | Promise<ObjectStore>;

// Without its parent nobody would end this process.
const orphaned = () => process.exit(1);
process.on('disconnect', orphaned);

try {
  // Written by spawnChild of this package.
  const { module, options, job } = JSON.parse(process.argv[2] ?? '') as ChildRequest;
  const store = await openerOf(module).then((open) => open(options));
  // All begin together.
  const begun = new Promise((resolve) => process.once('message', resolve));
  tell({ eos: 'ready' });
  await begun;
  await runJob(store, job, tell);
  await store.close();
} catch (error) {
  console.error(messageOf(error), error);
  process.exitCode = 1;
} finally {
  process.off('disconnect', orphaned);
  if (process.connected) process.disconnect();
}

function tell(message: ChildMessage): void {
  process.send?.(message);
}

async function openerOf(module: string): Promise<OpenStore> {
  const exported: unknown = await import(module);
  if (
    typeof exported !== 'object' ||
    exported === null ||
    !('objectStore' in exported) ||
    typeof exported.objectStore !== 'function'
  )
    throw new TypeError(`${module} must export a function objectStore(options)`);
  // What it returns is for the author to get right, as ChildStore says.
  return exported.objectStore as OpenStore;
}
