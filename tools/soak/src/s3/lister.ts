/**
 * A tool that only lists a folder, while writers are being killed. What it sees must be files of commits, each of one commit only; some may
 * be missing that are committed already.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { ObjectStore } from '@eos/object-store';
import { messageOf } from '@eos/core';

export interface Lister {
  readonly looks: number;
  readonly problems: readonly string[];
  /** Looks a last time. */
  stop(): Promise<void>;
  /** The files of all commits, by their keys. */
  committed(): Promise<ReadonlySet<string>>;
  listed(): Promise<ReadonlySet<string>>;
}

const PAUSE_MS = 100;

/** Reads the log by itself, as a stranger would who was told where it is. */
export function watchListing(store: ObjectStore, prefix: string): Lister {
  const known = new Set<string>();
  const problems: string[] = [];
  let nextEntry = 0n;
  let looks = 0;
  const stopping = new AbortController();

  async function readOn(): Promise<void> {
    for (;;) {
      const key = `${prefix}_eos/log/${String(nextEntry).padStart(20, '0')}.json`;
      const found = await store.get(key);
      if (found === undefined) return;
      const { files = [] } = JSON.parse(Buffer.from(found.body).toString()) as {
        readonly files?: readonly { readonly path: string }[];
      };
      for (const { path } of files) {
        if (known.has(prefix + path)) problems.push(`${path} is in two commits`);
        known.add(prefix + path);
      }
      nextEntry += 1n;
    }
  }

  async function list(): Promise<Set<string>> {
    const listed = new Set<string>();
    for await (const page of store.list({ prefix }))
      for (const { key } of page) if (!key.startsWith(`${prefix}_eos/`)) listed.add(key);
    return listed;
  }

  async function look(): Promise<void> {
    // The listing first: what it shows was committed before.
    const listed = await list();
    await readOn();
    for (const key of listed)
      if (!known.has(key)) problems.push(`${key} is visible, and no commit has named it`);
    looks += 1;
  }

  const watching = (async () => {
    while (!stopping.signal.aborted) {
      // The server is killed now and then.
      await look().catch((error: unknown) => {
        if (messageOf(error).includes('JSON')) problems.push(messageOf(error));
      });
      await delay(PAUSE_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();

  return {
    get looks() {
      return looks;
    },
    problems,
    async stop() {
      stopping.abort();
      await watching;
      await look();
    },
    committed: async () => {
      await readOn();
      return known;
    },
    listed: list,
  };
}
