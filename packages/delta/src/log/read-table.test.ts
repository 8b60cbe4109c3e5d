import type { ObjectStore } from '@eos/object-store';
import { describe, expect, test } from '@jest/globals';
import { agingStore, commitCities, openCities, TABLE_PREFIX } from '../cities.testing.js';
import { withRequests } from '../troubled-store.testing.js';
import { NO_ACTIONS } from './actions.js';
import { DeltaLog } from './delta-log.js';
import { checkpointKey, checkpointPartKey, commitKey, lastCheckpointKey } from './paths.js';
import { readTable } from './read-table.js';

const PLACE = { prefix: TABLE_PREFIX };

/** Versions 0 to 7, a checkpoint at 5. */
async function table() {
  const { store, bucket } = agingStore();
  const sink = await openCities(store, {}, { properties: { 'delta.checkpointInterval': '5' } });
  const session = await sink.recover(['0']);
  for (let version = 1; version <= 5; version++) await commitCities(session);
  await session.close();
  const next = await sink.recover(['0']);
  await commitCities(next);
  await sink.close();
  expect(bucket.objects.has(checkpointKey(PLACE, 5))).toBe(true);
  const { state } = await readTable(store, PLACE);
  return { store, bucket, state };
}

async function requestsOf(
  store: ObjectStore,
  work: (store: ObjectStore) => Promise<unknown>,
): Promise<string[]> {
  const requests: string[] = [];
  const counted = withRequests(store, (request, send) => {
    requests.push(
      `${request.call} ${request.key.slice(`${TABLE_PREFIX}_delta_log/`.length).replace(/^0+(?=\d)/, '')}`,
    );
    return send();
  });
  await work(counted);
  return requests;
}

describe('a table is read', () => {
  test('from its last checkpoint on, whatever lies in front of it, and without its files until somebody asks', async () => {
    const { store } = await table();
    const requests = await requestsOf(store, (counted) => readTable(counted, PLACE));
    const reads = requests.filter((request) => request.startsWith('read'));
    expect(new Set(reads)).toEqual(new Set(['read 5.checkpoint.parquet']));
    expect([...new Set(requests)].filter((request) => !request.startsWith('read'))).toEqual([
      'get _last_checkpoint',
      'list ',
      'get 6.json',
      'get 7.json',
      'get 8.json',
    ]);
  });

  test('anew by one who is far behind', async () => {
    const { store } = agingStore();
    const sink = await openCities(store, {}, { properties: { 'delta.checkpointInterval': '100' } });
    const session = await sink.recover(['0']);
    const requests: string[] = [];
    const counted = withRequests(store, (request, send) => {
      requests.push(`${request.call} ${request.key}`);
      return send();
    });
    const log = await DeltaLog.open(counted, PLACE);
    for (let version = 1; version <= 450; version++) await commitCities(session);
    await sink.close();
    requests.length = 0;
    await log.advance();
    expect(log.state.version).toBe(450);
    // Not each of the commits in front of the checkpoint.
    const commits = requests.filter((request) => /^get .*\d{20}\.json$/.test(request));
    expect(commits.length).toBeLessThan(300);
    expect(requests).toContain(`get ${commitKey(PLACE, 450)}`);
    const { adds } = await log.state.files.current();
    expect(adds.size).toBe(450);
  });

  test('the same by checkpoint and by commits alone, at every version', async () => {
    const { store, bucket } = await table();
    for (let version = 5; version <= 7; version++) {
      const byCheckpoint = (await readTable(store, PLACE, version)).state;
      const files = await byCheckpoint.files.current();
      const saved = bucket.objects.get(checkpointKey(PLACE, 5));
      bucket.objects.delete(checkpointKey(PLACE, 5));
      const byCommits = (await readTable(store, PLACE, version)).state;
      if (saved !== undefined) bucket.objects.set(checkpointKey(PLACE, 5), saved);
      expect(byCheckpoint.protocol).toEqual(byCommits.protocol);
      expect(byCheckpoint.metadata).toEqual(byCommits.metadata);
      expect(byCheckpoint.transactions).toEqual(byCommits.transactions);
      const whole = await byCommits.files.current();
      // In a checkpoint nothing has changed since.
      const unchanged = [...whole.adds].map(([path, add]) => [path, { ...add, dataChange: false }]);
      expect([...files.adds].map(([path, add]) => [path, { ...add, dataChange: false }])).toEqual(unchanged);
    }
  });

  test.each([
    ['missing', undefined],
    ['torn', '{"vers'],
    ['of another form', '[]'],
    ['ahead of the log', '{"version":99,"size":1}'],
    ['of a checkpoint that is not there', '{"version":2,"size":1}'],
  ])('a hint that is %s is only a hint', async (_, hint) => {
    const { store, state } = await table();
    if (hint === undefined) await store.delete([lastCheckpointKey(PLACE)]);
    else await store.put(lastCheckpointKey(PLACE), Buffer.from(hint));
    const found = await readTable(store, PLACE);
    expect(found.state.transactions).toEqual(state.transactions);
  });

  test('a checkpoint of which a part is missing is none', async () => {
    const { store, state } = await table();
    const whole = await store.get(checkpointKey(PLACE, 5));
    await store.put(checkpointPartKey(PLACE, 7, 1, 2), whole?.body ?? new Uint8Array());
    expect((await readTable(store, PLACE)).state.transactions).toEqual(state.transactions);
  });

  test('a hole in the log is told, and not stepped over', async () => {
    const { store } = await table();
    await store.delete([commitKey(PLACE, 6)]);
    await expect(readTable(store, PLACE)).rejects.toMatchObject({ code: 'EOS_FORMAT' });
  });

  test('a version that there is not', async () => {
    const { store } = await table();
    await expect(readTable(store, PLACE, 8)).rejects.toMatchObject({ code: 'EOS_CONFIG' });
    expect((await readTable(store, { prefix: 'elsewhere/' })).state.version).toBe(-1);
  });

  test('numbers of 63 bits survive commits and checkpoints', async () => {
    const { store } = await table();
    const log = await DeltaLog.open(store, PLACE);
    const transaction = { appId: 'spark', version: 2n ** 63n - 1n, lastUpdated: 1 };
    const actions = { ...NO_ACTIONS, transactions: [transaction] };
    expect(await log.append(actions, () => true)).toBe(true);
    const sink = await openCities(store);
    const session = await sink.recover(['0']);
    await commitCities(session);
    await sink.close();
    expect(await store.head(checkpointKey(PLACE, 10))).toBeDefined();
    expect((await readTable(store, PLACE)).state.transactions.get('spark')).toEqual(transaction);
  });
});
