import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { localObjectStore } from '@eos/object-store';
import { describe, expect, test } from '@jest/globals';
import { fastFolder } from '../fast-folder.testing.js';
import { runStruck, type CrashCase, type CrashPlace } from './enumeration.testing.js';
import { interruptedStore } from './interrupted-store.testing.js';
import { BLOWS, type Interruption } from './interruption.testing.js';

const small = { rowBytes: 10, rowsPerFile: 5 };

/** With the requests that each takes; a look at the log, four times a second, may come to it. */
const CASES: readonly (readonly [name: string, requests: number, crashCase: CrashCase])[] = [
  // Next slot, claim.
  ['a claim', 2, { visibility: 'log', struck: 'recover', ...small }],
  // Two files, entry.
  ['two files', 3, { visibility: 'log', struck: 'transaction', ...small }],
  // File, entry; a look at the window, segment, checkpoint, hint.
  [
    'the last commit of a window',
    6,
    { visibility: 'log', struck: 'transaction', rowBytes: 10, rowsPerFile: 10, earlierCommits: 58 },
  ],
  // Begin, end, completion; entry.
  ['an upload', 4, { visibility: 'log', struck: 'transaction', rowBytes: 900_000, rowsPerFile: 10 }],
  // Next slot, the commit before, its two files; claim.
  ['a claim that finds a commit to complete', 5, { visibility: 'listing', struck: 'recover', ...small }],
  // Three times begin, end and completion; entry.
  ['three listed files', 10, { visibility: 'listing', struck: 'transaction', rowBytes: 10, rowsPerFile: 4 }],
];

describe('a writer in a local folder', () => {
  for (const [name, requests, crashCase] of CASES) {
    test(`${name}: ${requests} requests`, async () => {
      expect([requests, requests + 1]).toContain(await inPlace(crashCase, undefined));
    });

    for (const blow of BLOWS) {
      test(`${name}: struck ${blow} each of its requests`, async () => {
        for (let at = 1; at <= requests; at++) await inPlace(crashCase, { blow, at });
      });
    }
  }
});

async function inPlace(crashCase: CrashCase, interruption: Interruption | undefined): Promise<number> {
  const { place, close } = await localPlace();
  try {
    return await runStruck(place, crashCase, interruption);
  } catch (cause) {
    throw new Error(`struck ${interruption?.blow ?? 'never'} request ${interruption?.at ?? 0}`, { cause });
  } finally {
    await close();
  }
}

async function localPlace(): Promise<{ place: CrashPlace; close: () => Promise<void> }> {
  const root = await mkdtemp(join(fastFolder(), 'eos-s3-crash-'));
  const store = localObjectStore({ root });
  const { store: troubled, interrupter, bury } = interruptedStore(localObjectStore({ root }));
  const prefix = 'table/';
  return {
    place: {
      troubled: { store: troubled, prefix },
      direct: { folder: root, prefix },
      interrupter,
      store,
      prefix,
    },
    async close() {
      await bury();
      await rm(root, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
