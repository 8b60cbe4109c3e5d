import type { ObjectStore } from '@eos/object-store';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { agingStore, commitCities, openCities, prepareCities, TABLE_PREFIX } from '../cities.testing.js';
import { withRequests } from '../troubled-store.testing.js';

const HOUR = 3_600_000;

async function dataFiles(store: ObjectStore): Promise<string[]> {
  const keys: string[] = [];
  for await (const page of store.list({ prefix: TABLE_PREFIX }))
    keys.push(
      ...page.map(({ key }) => key).filter((key) => key.endsWith('.parquet') && !key.includes('_delta_log')),
    );
  return keys;
}

/** Only the clock: everything else goes on as it does. */
describe('a transaction that took long', () => {
  const now = Date.now.bind(Date);
  let later = 0;
  beforeEach(() => {
    later = 0;
    jest.spyOn(Date, 'now').mockImplementation(() => now() + later);
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  test.each([
    [
      'was vacuumed',
      async ({ store }: ReturnType<typeof agingStore>) => store.delete(await dataFiles(store)),
    ],
    ['may be vacuumed at any time', async ({ age }: ReturnType<typeof agingStore>) => age(4)],
  ])('and of which a file %s is written again', async (_, happen) => {
    const world = agingStore();
    const sink = await openCities(world.store);
    const session = await sink.recover(['0']);
    const transaction = await prepareCities(session);
    later = HOUR;
    await happen(world);
    await expect(transaction.commit()).rejects.toMatchObject({
      code: 'EOS_UNAVAILABLE',
      retryable: true,
      outcome: 'aborted',
    });
    const next = await sink.recover(['0']);
    await commitCities(next);
    expect((await sink.positions()).get('0')).toMatchObject({ epoch: 1n, offset: 1n });
    await sink.close();
  });

  test('and whose files are there is committed, and leaves nothing else', async () => {
    const { store, bucket } = agingStore();
    const sink = await openCities(store);
    const transaction = await prepareCities(await sink.recover(['0']));
    later = HOUR;
    await transaction.commit();
    expect((await sink.positions()).get('0')).toMatchObject({ epoch: 1n });
    expect([...bucket.objects.keys()].filter((key) => key.includes('_eos/time'))).toEqual([]);
    await sink.close();
  });

  test('and that marks rows of old files is committed', async () => {
    const { store, age } = agingStore();
    const properties = { 'delta.enableDeletionVectors': 'true' };
    const sink = await openCities(store, {}, { mode: 'upsert', key: ['id'], properties });
    const session = await sink.recover(['0']);
    await commitCities(session, 2);
    age(5);
    const transaction = await session.begin();
    await transaction.write({ partition: '0', rows: [{ id: 0n, city: 'Ulm' }] });
    await transaction.prepare();
    later = HOUR;
    const to = new Map([['0', { offset: 3n, source: { kind: 'test' } }]]);
    await transaction.commit({ from: session.positions, to });
    expect((await sink.positions()).get('0')).toMatchObject({ epoch: 2n });
    await sink.close();
  });

  test('or that writes to a table which keeps nothing, is looked at however short it was', async () => {
    const { store } = agingStore();
    const properties = { 'delta.deletedFileRetentionDuration': 'interval 0 hours' };
    const sink = await openCities(store, {}, { properties });
    const session = await sink.recover(['0']);
    await commitCities(session);
    const transaction = await prepareCities(session);
    await store.delete(await dataFiles(store));
    await expect(transaction.commit()).rejects.toMatchObject({ code: 'EOS_UNAVAILABLE', outcome: 'aborted' });
    await commitCities(await sink.recover(['0']));
    expect((await sink.positions()).get('0')).toMatchObject({ epoch: 2n, offset: 2n });
    await sink.close();
  });

  test('is the only one that costs a look', async () => {
    const requests: string[] = [];
    const { store } = agingStore();
    const counted = withRequests(store, (request, send) => {
      requests.push(request.call);
      return send();
    });
    const sink = await openCities(counted);
    await commitCities(await sink.recover(['0']));
    expect(requests).not.toContain('head');
    await sink.close();
  });
});
