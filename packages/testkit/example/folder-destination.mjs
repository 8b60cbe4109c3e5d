/** The harness: a folder of its own for each test, and what stands in for a network in front of it. */
import * as nodeFiles from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deserialize } from 'node:v8';
import { folderSink } from './folder-sink.mjs';

/** What a child process of the suite calls. */
export const connector = folderSink;

export async function folderDestination() {
  const parent = await nodeFiles.mkdtemp(join(tmpdir(), 'folder-sink-'));
  const [folder, backup] = [join(parent, 'folder'), join(parent, 'backup')];
  await nodeFiles.mkdir(folder);
  const { files, faults, outage } = badNetwork();
  return {
    connector: (route) => folderSink(route === 'direct' ? { folder } : { folder, files }),
    rows: () => readRows(folder),
    faults,
    outage,
    history: { save: () => copy(folder, backup), restore: () => copy(backup, folder) },
    // The positions lie in the folder, and go with it.
    recreate: undefined,
    child: { module: new URL(import.meta.url), options: { folder } },
    close: () => nodeFiles.rm(parent, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** What a reader sees: the rows that the logs name. */
async function readRows(folder) {
  const rows = [];
  for (const log of await nodeFiles.readdir(join(folder, 'logs')).catch(() => [])) {
    for (let number = 0; ; number++) {
      const entry = await nodeFiles
        .readFile(join(folder, 'logs', log, String(number)))
        .catch(() => undefined);
      if (entry === undefined) break;
      for (const name of deserialize(entry).rows)
        rows.push(...deserialize(await nodeFiles.readFile(join(folder, 'rows', name))));
    }
  }
  return rows;
}

async function copy(from, to) {
  await nodeFiles.rm(to, { recursive: true, force: true });
  await nodeFiles.cp(from, to, { recursive: true });
}

/** Files that are out of reach, or whose `link`, the step that commits, is lost, late, or lands unheard. */
function badNetwork() {
  const late = [];
  let armed;
  let isDown = false;
  const steps = ['mkdir', 'readFile', 'writeFile', 'rm'].map((name) => [
    name,
    async (...given) => {
      if (isDown) throw new Error('the network is down');
      return await nodeFiles[name](...given);
    },
  ]);
  const link = async (from, to) => {
    const fault = isDown ? 'request-lost' : armed;
    armed = undefined;
    if (fault === 'request-late') late.push(() => nodeFiles.link(from, to));
    if (fault === 'answer-lost' || fault === undefined) await nodeFiles.link(from, to);
    if (fault !== undefined) throw new Error('the connection was reset');
  };
  return {
    files: { ...Object.fromEntries(steps), link },
    faults: {
      arm: (fault) => void (armed = fault),
      release: async () => void (await Promise.allSettled(late.splice(0).map((deliver) => deliver()))),
    },
    outage: { stop: () => void (isDown = true), start: () => void (isDown = false) },
  };
}
