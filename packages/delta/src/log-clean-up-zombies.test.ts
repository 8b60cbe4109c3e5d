/** Names in a log become free again by clean-up. A writer that slept through it must not take a free name for its commit. */
import type { MemoryBucket, ObjectStore } from '@eos/object-store';
import { describe, expect, test } from '@jest/globals';
import {
  agingStore,
  commitCities,
  logNames,
  openCities,
  prepareCities,
  TABLE_PREFIX,
} from './cities.testing.js';
import { cleanUpLog } from './log/clean-up.js';
import { commitKey } from './log/paths.js';
import { readTable } from './log/read-table.js';
import { withRequests } from './troubled-store.testing.js';

const PLACE = { prefix: TABLE_PREFIX };
const OPTIONS = { properties: { 'delta.checkpointInterval': '4' } };

/** Another pipeline commits far beyond, and what it leaves behind is cleaned up, as 40 days later. */
async function passTime({ store, age }: ReturnType<typeof agingStore>): Promise<void> {
  const other = await openCities(store, { pipeline: 'other' }, OPTIONS);
  const session = await other.recover(['0']);
  for (let count = 0; count < 9; count++) await commitCities(session);
  await other.close();
  age(40);
  const { state } = await readTable(store, PLACE);
  await cleanUpLog(store, PLACE, state.metadata, Date.now());
}

async function livePaths(store: ObjectStore): Promise<string[]> {
  const { adds } = await (await readTable(store, PLACE)).state.files.current();
  return [...adds.keys()].sort();
}

function firstCommit(bucket: MemoryBucket): number {
  return Math.min(
    ...logNames(bucket)
      .map((name) => Number.parseInt(name, 10))
      .filter((version) => version >= 0),
  );
}

describe('a writer that slept until its place in the log was free again', () => {
  test('does not take its commit for one, and writes its rows again, once', async () => {
    const world = agingStore();
    const { store, bucket } = world;
    // What goes wrong between the look at the log and the put: the sleep is there.
    let sleeping: Promise<void> = Promise.resolve();
    const sleepy = withRequests(store, async (request, send) => {
      if (request.call === 'put' && request.key.endsWith('.json')) await sleeping;
      return await send();
    });
    const sink = await openCities(sleepy, {}, OPTIONS);
    const session = await sink.recover(['0']);
    await commitCities(session);
    const transaction = await prepareCities(session);
    let wake: () => void = () => undefined;
    sleeping = new Promise((resolve) => {
      wake = resolve;
    });
    const committing = transaction.commit();
    committing.catch(() => undefined);
    await passTime(world);
    expect(firstCommit(bucket)).toBeGreaterThan(2);
    const before = await livePaths(store);
    wake();
    await expect(committing).rejects.toMatchObject({ code: 'EOS_UNKNOWN_OUTCOME', outcome: 'unknown' });
    // It lies there, and belongs to no table.
    expect(bucket.objects.has(commitKey(PLACE, 2))).toBe(true);
    expect(await livePaths(store)).toEqual(before);

    const replacing = new Map([['0', { owners: new Set([session.owner]), epoch: 1n }]]);
    const next = await sink.recover(['0'], { replacing });
    expect(next.positions.get('0')).toMatchObject({ epoch: 1n, offset: 1n });
    await commitCities(next);
    expect((await livePaths(store)).length).toBe(before.length + 1);
    await sink.close();
  });

  test('with its claim on the way does not take it for one', async () => {
    const world = agingStore();
    const { store } = world;
    const first = await openCities(store, {}, OPTIONS);
    await commitCities(await first.recover(['0']));
    let wake: () => void = () => undefined;
    const sleeping = new Promise<void>((resolve) => {
      wake = resolve;
    });
    const sleepy = withRequests(store, async (request, send) => {
      if (request.call === 'put' && request.key.endsWith('.json')) await sleeping;
      return await send();
    });
    const second = await openCities(sleepy, {}, OPTIONS);
    const claiming = second.recover(['0']);
    claiming.catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await passTime(world);
    wake();
    await expect(claiming).rejects.toMatchObject({ code: 'EOS_UNKNOWN_OUTCOME', outcome: 'unknown' });
    const session = await second.recover(['0']);
    expect(session.positions.get('0')).toMatchObject({ epoch: 1n, offset: 1n });
    await commitCities(session);
    await Promise.all([first.close(), second.close()]);
  });

  test('before its look at the log finds what there is now, and goes on', async () => {
    const world = agingStore();
    const sink = await openCities(world.store, {}, OPTIONS);
    const session = await sink.recover(['0']);
    await commitCities(session);
    await passTime(world);
    await commitCities(session);
    expect((await sink.positions()).get('0')).toMatchObject({ epoch: 2n, offset: 2n });
    await sink.close();
  });

  test('and was claimed meanwhile is fenced', async () => {
    const world = agingStore();
    const sink = await openCities(world.store, {}, OPTIONS);
    const session = await sink.recover(['0']);
    await commitCities(session);
    const successor = await openCities(world.store, {}, OPTIONS);
    await commitCities(await successor.recover(['0']));
    await passTime(world);
    await expect(commitCities(session)).rejects.toMatchObject({ code: 'EOS_FENCED' });
    await Promise.all([sink.close(), successor.close()]);
  });

  test('sees that its commit stands where others have only gone on, with a checkpoint behind it', async () => {
    const { store } = agingStore();
    const other = await openCities(store, { pipeline: 'other' }, OPTIONS);
    const session = await other.recover(['0']);
    // Others commit between the put and the look behind it.
    let isTime = false;
    const slow = withRequests(store, async (request, send) => {
      const result = await send();
      if (isTime && request.call === 'put' && request.key.endsWith('.json')) {
        isTime = false;
        for (let count = 0; count < 9; count++) await commitCities(session);
        await other.close();
      }
      return result;
    });
    const sink = await openCities(slow, {}, OPTIONS);
    const own = await sink.recover(['0']);
    isTime = true;
    await commitCities(own);
    await commitCities(own);
    expect((await sink.positions()).get('0')).toMatchObject({ epoch: 2n, offset: 2n });
    await sink.close();
  });
});
