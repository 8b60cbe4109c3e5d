/**
 * The look at a store before it is written to. Where a table is made, the store is raced as often as `probeObjectStore` thinks right; where
 * there is a log already, which somebody has looked at before, every process races it once more, with fewer requests, so that a store which
 * was exchanged for another one does not go unnoticed. A local folder is looked at as shortly as can be: races of one process go through one
 * system, whose `link` is right, and what a network's file system does between machines they do not show. What a look has shown is
 * remembered in the process and nowhere else: a note in the bucket would say nothing of the program that serves it today.
 */
import type { ObjectStore } from './object-store.js';
import { probeObjectStore } from './probe.js';

/** How much is asked of a store. Of the shorter ones most requests are under way at once. */
const LOOKS = {
  thorough: {},
  short: { rounds: 1, bytes: 128 * 1024 },
  folder: { racers: 2, rounds: 1, bytes: 0 },
} as const;

export type LookKind = keyof typeof LOOKS;

interface Look {
  readonly kind: LookKind;
  readonly probe: Promise<void>;
}

/** Of stores that have shown no fault, each by what stands for it in this process. */
const OBJECTS = new WeakMap<object, Look>();
const FOLDERS = new Map<string, Look>();

/**
 * @param key what stands for the store: an object, or the path of a folder
 * @throws EOS_STORE_UNSAFE
 */
export async function probed(
  key: object | string,
  store: ObjectStore,
  prefix: string,
  kind: LookKind,
): Promise<void> {
  const earlier = typeof key === 'string' ? FOLDERS.get(key) : OBJECTS.get(key);
  if (earlier !== undefined && (earlier.kind === 'thorough' || kind !== 'thorough')) {
    await earlier.probe;
    return;
  }
  const folder = `${prefix}_eos/probe/`;
  const probe = probeObjectStore(store, { prefix: folder, ...LOOKS[kind] });
  const look = { kind, probe };
  if (typeof key === 'string') FOLDERS.set(key, look);
  else OBJECTS.set(key, look);
  // One that failed is made again: the store may have been out of reach, or is another one by then.
  probe.catch(() => {
    if (typeof key === 'string') FOLDERS.delete(key);
    else OBJECTS.delete(key);
  });
  await probe;
}
