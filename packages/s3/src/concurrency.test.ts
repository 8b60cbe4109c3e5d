/** Several writers of one table at the same time. */
import { setTimeout as delay } from 'node:timers/promises';
import { EosError, isEosError } from '@eos/core';
import { memoryBucket, memoryObjectStore, type ObjectStore } from '@eos/object-store';
import { randomNumbers } from '@eos/testkit';
import { describe, expect, test } from '@jest/globals';
import { flights, flightsOf, PREFIX, seed, Writer } from './commits.testing.js';
import { openTable } from './reader/open-table.js';

const WRITERS = 8;
const COMMITS = 25;

async function idsOf(store: ObjectStore): Promise<number[]> {
  const ids: number[] = [];
  for await (const rows of (await openTable(store, PREFIX)).rows())
    ids.push(...rows.map(({ id }) => Number(id)));
  return ids.sort((a, b) => a - b);
}

describe('writers at the same time', () => {
  test('of partitions of their own all succeed', async () => {
    const bucket = memoryBucket();
    const work = Array.from({ length: WRITERS }, async (_, index) => {
      const store = memoryObjectStore(bucket);
      const place = { prefix: PREFIX, schema: flights, store };
      const writer = await Writer.open(place, { partition: String(index) });
      for (let commit = 0; commit < COMMITS; commit++) {
        const first = (index * COMMITS + commit) * 3;
        await writer.commit(flightsOf(first, first + 3));
      }
      await writer.close();
    });
    await Promise.all(work);
    const count = WRITERS * COMMITS * 3;
    expect(await idsOf(memoryObjectStore(bucket))).toEqual(Array.from({ length: count }, (_, id) => id));
  });

  test('of one partition: the last claim goes on, all others are fenced, and nothing is doubled', async () => {
    const bucket = memoryBucket();
    const rivals = await Promise.all(
      Array.from({ length: WRITERS }, () =>
        Writer.open({ prefix: PREFIX, schema: flights, store: memoryObjectStore(bucket) }),
      ),
    );
    const outcomes = await Promise.all(
      rivals.map((writer) =>
        writer.commit(flightsOf(0, 10)).then(
          () => 'committed',
          (error: unknown) => (isEosError(error) ? error.code : String(error)),
        ),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === 'committed')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'EOS_FENCED')).toHaveLength(WRITERS - 1);
    expect(await idsOf(memoryObjectStore(bucket))).toEqual(Array.from({ length: 10 }, (_, id) => id));
  });
});

describe('a store', () => {
  test(`that answers late, each call at its own time, keeps what all writers were told (seed ${seed})`, async () => {
    const bucket = memoryBucket();
    const random = randomNumbers(seed);
    const slow = (): ObjectStore => {
      const inner = memoryObjectStore(bucket);
      const late = async <T>(call: () => Promise<T>): Promise<T> => {
        await delay(random() % 20);
        const result = await call();
        await delay(random() % 20);
        return result;
      };
      return {
        ...inner,
        get: (key) => late(() => inner.get(key)),
        put: (key, body, options) => late(() => inner.put(key, body, options)),
        complete: (upload, options) => late(() => inner.complete(upload, options)),
      };
    };
    const work = Array.from({ length: 3 }, async (_, index) => {
      const options = { prefix: PREFIX, schema: flights, store: slow(), roll: { rows: 2 } };
      const writer = await Writer.open(options, { partition: String(index) });
      for (let commit = 0; commit < 5; commit++) {
        const first = (index * 5 + commit) * 5;
        await writer.commit(flightsOf(first, first + 5));
      }
      await writer.close();
    });
    await Promise.all(work);
    expect(await idsOf(memoryObjectStore(bucket))).toEqual(Array.from({ length: 75 }, (_, id) => id));
  });

  test('that turns every fourth put away loses and doubles nothing', async () => {
    const inner = memoryObjectStore();
    let puts = 0;
    const store: ObjectStore = {
      ...inner,
      put: async (key, body, options) => {
        if (!key.includes('/probe/') && (puts += 1) % 4 === 0)
          throw new EosError('EOS_UNAVAILABLE', 'SlowDown: reduce your request rate', { retryable: true });
        return await inner.put(key, body, options);
      },
    };
    const place = { prefix: PREFIX, schema: flights, store };
    let start = 0;
    let tries = 0;
    while (start < 100) {
      tries += 1;
      try {
        const writer = await Writer.open(place);
        start = Number(writer.session.positions.get('0')?.offset ?? 0n);
        while (start < 100) {
          await writer.commit(flightsOf(start, start + 10));
          start += 10;
        }
      } catch (error) {
        if (!isEosError(error) || !error.retryable) throw error;
      }
    }
    expect(tries).toBeGreaterThan(3);
    expect(await idsOf(inner)).toEqual(Array.from({ length: 100 }, (_, id) => id));
  });
});
