/**
 * The look at a store before it is written to. Where a table is made, the store is raced as often as `probeObjectStore` thinks right; where
 * there is a log already, which somebody has looked at before, every process races it once more, with fewer requests, so that a store which
 * was exchanged for another one does not go unnoticed. What a look has shown is remembered in the process and nowhere else: a note in the
 * bucket would say nothing of the program that serves it today.
 */
import { probeObjectStore, type ObjectStore } from '@eos/object-store';
import { EOS_FOLDER } from './log/keys.js';

interface Look {
  readonly isThorough: boolean;
  readonly probe: Promise<void>;
}

/** Of stores that have shown no fault, each by what stands for it in this process. */
const OBJECTS = new WeakMap<object, Look>();
const FOLDERS = new Map<string, Look>();

/** About forty requests, most of them at once. */
const SHORT = { racers: 8, rounds: 1 };

/**
 * @param key what stands for the store: an object, or the path of a folder
 * @throws EOS_STORE_UNSAFE
 */
export async function probed(
  key: object | string,
  store: ObjectStore,
  prefix: string,
  isThorough: boolean,
): Promise<void> {
  const earlier = typeof key === 'string' ? FOLDERS.get(key) : OBJECTS.get(key);
  if (earlier !== undefined && (earlier.isThorough || !isThorough)) {
    await earlier.probe;
    return;
  }
  const folder = `${prefix}${EOS_FOLDER}probe/`;
  const probe = probeObjectStore(store, { prefix: folder, ...(isThorough ? {} : SHORT) });
  const look = { isThorough, probe };
  if (typeof key === 'string') FOLDERS.set(key, look);
  else OBJECTS.set(key, look);
  // One that failed is made again: the store may have been out of reach, or is another one by then.
  probe.catch(() => {
    if (typeof key === 'string') FOLDERS.delete(key);
    else OBJECTS.delete(key);
  });
  await probe;
}
