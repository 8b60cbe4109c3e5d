/** Uploads must last until they are completed: a store that aborts them too early is refused before the first row. */
import { EosError } from '@eos/core';
import type { ObjectStore } from '@eos/object-store';

const DAY_MS = 24 * 60 * 60 * 1_000;

/**
 * How long an upload must last. It has to outlive its transaction, and the time that a writer which died in its commit stays down: who claims
 * its partitions next completes it.
 */
const SHORTEST_MS = 7 * DAY_MS;

/** @throws EOS_CONFIG where a rule of the bucket aborts uploads too early, EOS_PERMISSION where that cannot be known */
export async function checkUploadLifetime(store: ObjectStore, prefix: string): Promise<void> {
  const lifetime = await store.uploadLifetime?.(prefix);
  if (lifetime === undefined || lifetime >= SHORTEST_MS) return;
  throw new EosError(
    'EOS_CONFIG',
    `visibility: a lifecycle rule of ${store.description} aborts uploads below ${JSON.stringify(prefix)} after ${lifetime / DAY_MS} days, ` +
      `and those of 'listing' must last ${SHORTEST_MS / DAY_MS}: raise DaysAfterInitiation, or keep the prefix out of the rule`,
    { details: { option: 'visibility', lifetime } },
  );
}
