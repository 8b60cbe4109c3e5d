/** A backup of the table is restored at the worst moment: between a writer's last look at the log and its put. */
import { describe, expect, test } from '@jest/globals';
import type { MemoryBucket } from '@eos/object-store';
import {
  agingStore,
  commitCities,
  logNames,
  openCities,
  prepareCities,
  TABLE_PREFIX,
} from './cities.testing.js';
import { commitKey } from './log/paths.js';
import { readTable } from './log/read-table.js';
import { withRequests, type StoreRequest } from './troubled-store.testing.js';

const PLACE = { prefix: TABLE_PREFIX };

function backupOf({ objects }: MemoryBucket): () => void {
  const saved = new Map(objects);
  return () => {
    objects.clear();
    for (const [key, object] of saved) objects.set(key, object);
  };
}

/** A sink with three commits of one row behind it, of which a backup has the first. `now` strikes before the next request that it is asked about. */
async function restoredAt(strikes: (request: StoreRequest) => boolean, mode: 'append' | 'upsert' = 'append') {
  const { store, bucket } = agingStore();
  let restore: (() => void) | undefined;
  const troubled = withRequests(store, (request, send) => {
    if (restore !== undefined && strikes(request)) {
      restore();
      restore = undefined;
    }
    return send();
  });
  const options = mode === 'upsert' ? { mode, key: ['id'] } : {};
  const sink = await openCities(troubled, {}, options);
  const session = await sink.recover(['0']);
  await commitCities(session);
  const backup = backupOf(bucket);
  await commitCities(session);
  await commitCities(session);
  const transaction = await prepareCities(session);
  restore = backup;
  return { store, bucket, sink, session, transaction };
}

describe('a log that goes back right before a put', () => {
  test('is left without the version that was put behind a hole', async () => {
    const { store, bucket, sink, transaction } = await restoredAt(
      ({ call, key }) => call === 'put' && key === commitKey(PLACE, 4),
    );
    await expect(transaction.commit()).rejects.toMatchObject({
      code: 'EOS_UNKNOWN_OUTCOME',
      outcome: 'unknown',
    });
    expect(logNames(bucket)).toEqual(['0.json', '1.json']);
    expect((await readTable(store, PLACE)).state.version).toBe(1);

    const next = await sink.recover(['0']);
    expect(next.positions.get('0')).toMatchObject({ epoch: 1n, offset: 1n });
    for (let count = 0; count < 4; count++) await commitCities(next);
    expect((await sink.positions()).get('0')).toMatchObject({ epoch: 5n, offset: 5n });
    const { adds } = await (await readTable(store, PLACE)).state.files.current();
    expect(adds.size).toBe(5);
    await sink.close();
  });

  test('is seen by a writer that has looked into the table for long', async () => {
    const { bucket, sink, transaction } = await restoredAt(
      ({ call, key }) => call === 'read' && key === commitKey(PLACE, 3),
      'upsert',
    );
    await expect(transaction.commit()).rejects.toMatchObject({ code: 'EOS_POSITION_REGRESSED' });
    expect(logNames(bucket)).toEqual(['0.json', '1.json']);
    await sink.close();
  });
});
