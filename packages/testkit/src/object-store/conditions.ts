import type { ObjectStore, PutResult } from '@eos/object-store';
import { labelledBody, labelOf } from './bodies.js';
import { bytesOf, failureOf, type StoreSuite, type StoreWorld } from './suite.js';

const RACERS = 12;
const ROUNDS = 6;

/** The compare-and-set of the store. */
export function conditions({ group, test }: StoreSuite): void {
  group('conditions', () => {
    test('ifAbsent stores once, whoever asks, and again after a delete', async (world) => {
      const [store, other] = await world.openMany(2);
      if (store === undefined || other === undefined) return;
      const condition = { ifAbsent: true } as const;
      world.expect((await store.put('key', bytesOf('first'), { condition })).stored).toEqual(true);
      for (const again of [store, other])
        world.expect(await again.put('key', bytesOf('second'), { condition })).toEqual({ stored: false });
      // An equal body is another write all the same.
      world.expect(await other.put('key', bytesOf('first'), { condition })).toEqual({ stored: false });
      await world.expectText(other, 'key', 'first');
      await store.delete(['key']);
      world.expect((await other.put('key', bytesOf('third'), { condition })).stored).toEqual(true);
      await world.expectText(store, 'key', 'third');
    });

    test('ifMatch stores over the body it names, and over no other', async (world) => {
      const [store, other] = await world.openMany(2);
      if (store === undefined || other === undefined) return;
      const first = etagOf(await store.put('key', bytesOf('first')));
      world.expect((await other.get('key'))?.etag).toEqual(first);
      const second = etagOf(await other.put('key', bytesOf('second'), { condition: { ifMatch: first } }));
      world
        .expect(await store.put('key', bytesOf('lost'), { condition: { ifMatch: first } }))
        .toEqual({ stored: false });
      await world.expectText(store, 'key', 'second');
      await store.put('key', bytesOf('third'));
      world
        .expect(await store.put('key', bytesOf('lost'), { condition: { ifMatch: second } }))
        .toEqual({ stored: false });
      await world.expectText(other, 'key', 'third');
    });

    test('ifMatch on a key without an object stores nothing', async (world) => {
      const store = await world.open();
      const etag = etagOf(await store.put('elsewhere', bytesOf('x')));
      world
        .expect(await store.put('none', bytesOf('x'), { condition: { ifMatch: etag } }))
        .toEqual({ stored: false });
      await store.delete(['elsewhere']);
      world
        .expect(await store.put('elsewhere', bytesOf('x'), { condition: { ifMatch: etag } }))
        .toEqual({ stored: false });
      await world.expectText(store, 'none', undefined);
      await world.expectText(store, 'elsewhere', undefined);
    });

    test('a condition that is none is refused', async (world) => {
      const store = await world.open();
      for (const condition of [{}, { ifAbsent: false }, { ifMatch: '' }, { ifMatch: 'x', ifAbsent: true }])
        // What a caller without types may pass.
        await world.expectCode(
          store.put('key', bytesOf('x'), { condition: condition as { ifMatch: string } }),
          'EOS_CONFIG',
        );
      await world.expectText(store, 'key', undefined);
    });

    test(`of ${RACERS} racing puts with ifAbsent exactly one is stored, ${ROUNDS} times`, async (world) => {
      const stores = await world.openMany(RACERS);
      for (let round = 0; round < ROUNDS; round++) {
        const key = `race/${round}`;
        const winner = await race(world, stores, round, (store, body) =>
          store.put(key, body, { condition: { ifAbsent: true } }),
        );
        world.expect(await labelAt(stores[0], key)).toEqual(winner);
      }
    });

    test(`of ${RACERS} racing puts with ifMatch exactly one is stored, ${ROUNDS} times`, async (world) => {
      const stores = await world.openMany(RACERS);
      const key = 'register';
      let etag = etagOf(await stores[0]?.put(key, bytesOf('start')));
      for (let round = 0; round < ROUNDS; round++) {
        const ifMatch = etag;
        const winner = await race(world, stores, round, (store, body) =>
          store.put(key, body, { condition: { ifMatch } }),
        );
        world.expect(await labelAt(stores[0], key)).toEqual(winner);
        etag = (await stores[0]?.get(key))?.etag ?? '';
      }
    });

    test('a counter that many raise by ifMatch loses no step', async (world) => {
      const stores = await world.openMany(4);
      const steps = 5;
      await stores[0]?.put('counter', bytesOf('0'));
      await Promise.all(stores.map((store) => raise(store, 'counter', steps)));
      await world.expectText(await world.open(), 'counter', String(stores.length * steps));
    });
  });
}

/** Adds one, `times` times, starting again wherever another was faster. */
async function raise(store: ObjectStore, key: string, times: number): Promise<void> {
  for (let done = 0; done < times;) {
    const found = await store.get(key);
    if (found === undefined) throw new Error(`${key} is gone`);
    const next = Number(Buffer.from(found.body).toString()) + 1;
    const { stored } = await store.put(key, bytesOf(String(next)), { condition: { ifMatch: found.etag } });
    if (stored) done++;
  }
}

/** All write at once; returns the label of the one that was stored. A store that gives up under the load may say so. */
async function race(
  world: StoreWorld,
  stores: readonly ObjectStore[],
  round: number,
  put: (store: ObjectStore, body: Buffer) => Promise<PutResult>,
): Promise<string> {
  const winners: string[] = [];
  const failures: unknown[] = [];
  await Promise.all(
    stores.map(async (store, index) => {
      // Some large, some small: the first to begin is not the first to arrive.
      // No two bodies of a test are equal: their ETags might be, too.
      const label = `racer ${index} of round ${round}`;
      const call = put(store, labelledBody(label, 100 + (index % 3) * 50_000));
      const failure = await failureOf(call);
      if (failure !== undefined) failures.push(failure);
      else if ((await call).stored) winners.push(label);
    }),
  );
  world.expect({ winners: winners.length, failures }).toEqual({ winners: 1, failures: [] });
  return winners[0] ?? '';
}

async function labelAt(store: ObjectStore | undefined, key: string): Promise<string | undefined> {
  const found = await store?.get(key);
  return found && labelOf(found.body);
}

/** The ETag of a put that was stored. */
export function etagOf(result: PutResult | undefined): string {
  if (result?.stored !== true) throw new Error('the put was not stored');
  return result.etag;
}
