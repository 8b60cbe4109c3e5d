import { describe, expect, test } from '@jest/globals';
import { agingStore, commitCities, logNames, openCities, TABLE_PREFIX } from '../cities.testing.js';
import { cleanUpLog } from './clean-up.js';
import { readTable } from './read-table.js';

const PLACE = { prefix: TABLE_PREFIX };
const EVERY_THREE = { properties: { 'delta.checkpointInterval': '3' } };

/** A table of versions 0 to 8, with checkpoints 3 and 6; the first `old` commits are 40 days old, the others of today. */
async function table(old: number, properties: Readonly<Record<string, string>> = {}) {
  const { store, bucket, age } = agingStore();
  const options = { properties: { ...EVERY_THREE.properties, ...properties } };
  const sink = await openCities(store, {}, options);
  const session = await sink.recover(['0']);
  for (let version = 1; version <= 8; version++) {
    if (version === old) age(40);
    await commitCities(session);
    // The checkpoint is written beside the commits.
    if (version % 3 === 0)
      await waitFor(
        () =>
          bucket.objects.has(`${TABLE_PREFIX}_delta_log/_last_checkpoint`) &&
          logNames(bucket).includes(`${version}.checkpoint.parquet`),
      );
  }
  await sink.close();
  const { state } = await readTable(store, PLACE);
  return { store, bucket, metadata: state.metadata };
}

async function waitFor(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

describe('clean-up of the log', () => {
  test('keeps the newest checkpoint that is older than the retention, its commit, and all behind it', async () => {
    const { store, bucket, metadata } = await table(6);
    const before = await readTable(store, PLACE);
    expect(await cleanUpLog(store, PLACE, metadata, Date.now())).toBe(3);
    expect(logNames(bucket)).toEqual([
      '3.checkpoint.parquet',
      '3.json',
      '4.json',
      '5.json',
      '6.checkpoint.parquet',
      '6.json',
      '7.json',
      '8.json',
      '_last_checkpoint',
    ]);
    const after = await readTable(store, PLACE);
    expect(after.state.transactions).toEqual(before.state.transactions);
    expect(await after.state.files.current()).toEqual(await before.state.files.current());
    expect((await readTable(store, PLACE, 4)).state.version).toBe(4);
    await expect(readTable(store, PLACE, 2)).rejects.toMatchObject({ code: 'EOS_FORMAT' });
    expect(await cleanUpLog(store, PLACE, metadata, Date.now())).toBe(0);
  });

  test('deletes nothing in front of a checkpoint that is younger than the retention', async () => {
    const { store, metadata } = await table(3);
    expect(await cleanUpLog(store, PLACE, metadata, Date.now())).toBe(0);
  });

  test('deletes nothing where the table says so, or keeps its log for longer', async () => {
    for (const property of [
      { 'delta.enableExpiredLogCleanup': 'false' },
      { 'delta.logRetentionDuration': 'interval 60 days' },
    ]) {
      const { store, metadata } = await table(6, property);
      expect(await cleanUpLog(store, PLACE, metadata, Date.now())).toBe(0);
    }
  });

  test('happens by itself behind a checkpoint', async () => {
    const { store, bucket, age } = agingStore();
    const first = await openCities(store, {}, EVERY_THREE);
    const session = await first.recover(['0']);
    for (let version = 1; version <= 4; version++) await commitCities(session);
    await first.close();
    age(40);
    const second = await openCities(store, {}, EVERY_THREE);
    const next = await second.recover(['0']);
    for (let version = 6; version <= 9; version++) await commitCities(next);
    await second.close();
    expect(logNames(bucket)[0]).toBe('3.checkpoint.parquet');
    expect((await readTable(store, PLACE)).state.version).toBe(9);
  });
});
