/** `_last_checkpoint`: a hint where to begin. It may be missing, old or torn, and then the log is listed. */
import type { ObjectStore } from '@eos/object-store';
import type { Version } from './actions.js';
import { isFields } from './fields.js';
import { lastCheckpointKey, type TablePlace } from './paths.js';

/** The version that the hint names; undefined where there is none, or nothing to be made of it. */
export async function readHint(store: ObjectStore, place: TablePlace): Promise<Version | undefined> {
  const found = await store.get(lastCheckpointKey(place));
  if (found === undefined) return undefined;
  try {
    const hint: unknown = JSON.parse(Buffer.from(found.body).toString());
    const version = isFields(hint) ? hint['version'] : undefined;
    return typeof version === 'number' && Number.isSafeInteger(version) && version >= 0 ? version : undefined;
  } catch {
    // Torn, or not ours to understand.
    return undefined;
  }
}

export interface Hint {
  readonly version: Version;
  /** Actions of the checkpoint. */
  readonly size: number;
  readonly sizeInBytes: number;
  readonly numOfAddFiles: number;
}

export async function writeHint(store: ObjectStore, place: TablePlace, hint: Hint): Promise<void> {
  await store.put(lastCheckpointKey(place), Buffer.from(JSON.stringify(hint)));
}
