/** Compaction and vacuum struck at every one of their requests: the table shows the same rows, and what is run again does its work. */
import { describe, expect, test } from '@jest/globals';
import { isEosError, Op } from '@eos/core';
import type { ObjectStore } from '@eos/object-store';
import { flights, flightsOf, PREFIX, testStore, Writer, type Flight } from '../commits.testing.js';
import { interruptedStore } from '../crash/interrupted-store.testing.js';
import { BLOWS, type Interruption } from '../crash/interruption.testing.js';
import { checkOptions } from '../options.js';
import { openTable } from '../reader/open-table.js';
import { vacuumTable } from '../vacuum/vacuum-table.js';
import { compactTable } from './compact-table.js';

const options = { prefix: PREFIX, schema: flights, mode: 'upsert', key: ['id'] } as const;
const LIVE = { dryRun: false } as const;

type Work = (store: ObjectStore) => Promise<unknown>;
const compact: Work = (store) =>
  compactTable({ store, prefix: PREFIX }, checkOptions({ ...options, store }), LIVE);
const vacuum: Work = (store) => vacuumTable({ store, prefix: PREFIX }, LIVE);

/** A table with deletes in it, a writer that goes on, and one that sleeps within a transaction. */
class Table {
  readonly store = testStore();
  readonly #live = new Map<bigint, Flight>();
  #next = 0;
  #writer: Writer | undefined;
  #sleeper: Writer | undefined;
  #wake: (() => Promise<void>) | undefined;

  async begin(): Promise<this> {
    this.#writer = await Writer.open({ ...options, store: this.store });
    for (let commit = 0; commit < 2; commit += 1) await this.commit();
    const settings = { ...options, store: this.store };
    this.#sleeper = await Writer.open(settings, { pipeline: 'sleeper' });
    const rows = flightsOf(-10, -5);
    const { commit } = await this.#sleeper.prepared(rows);
    this.#wake = async () => {
      await commit();
      for (const row of rows) this.#live.set(BigInt(row.id), row);
    };
    return this;
  }

  /** Six rows, of which one goes again, with one of those before. */
  async commit(): Promise<void> {
    const rows = flightsOf(this.#next, this.#next + 6);
    const gone = [rows[0], flightsOf(this.#next - 1, this.#next)[0]].flatMap((row) => row ?? []);
    const ops = [...rows.map(() => Op.insert), ...gone.map(() => Op.delete)];
    await this.#writer?.commit([...rows, ...gone], ops);
    for (const row of rows) this.#live.set(BigInt(row.id), row);
    for (const { id } of gone) this.#live.delete(BigInt(id));
    this.#next += 6;
  }

  /** The sleeper commits, if nothing keeps it from it. */
  async wake(): Promise<void> {
    await this.#wake?.();
    this.#wake = undefined;
  }

  async expectWhole(): Promise<void> {
    const found: Record<string, unknown>[] = [];
    for await (const rows of (await openTable(this.store, PREFIX)).rows()) found.push(...rows);
    expect(byId(found)).toEqual(byId([...this.#live.values()]));
  }

  /** Nothing lies around that the table does not need. */
  async expectClean(): Promise<void> {
    const live = new Set<string>();
    for await (const { path } of (await openTable(this.store, PREFIX)).files()) live.add(PREFIX + path);
    const found: string[] = [];
    for await (const page of this.store.list({ prefix: PREFIX }))
      found.push(...page.map(({ key }) => key).filter((key) => !key.includes('/_eos/')));
    expect(found.sort()).toEqual([...live].sort());
  }

  async end(): Promise<void> {
    await this.#writer?.close();
    await this.#sleeper?.close();
  }
}

function byId(rows: readonly Readonly<Record<string, unknown>>[]): readonly unknown[] {
  return [...rows].sort((a, b) => Number(a['id']) - Number(b['id']));
}

/**
 * Runs `work`, struck where it says so. Returns how many requests it sent that change something: to die before or after one that
 * reads is to die before the next of these.
 */
async function struck(
  table: Table,
  work: Work,
  interruption?: Interruption,
): Promise<{ readonly count: number; readonly release: () => Promise<void> }> {
  const { store: whole, interrupter } = interruptedStore(table.store);
  const store: ObjectStore = {
    ...whole,
    get: (key) => table.store.get(key),
    read: (key, range) => table.store.read(key, range),
    head: (key) => table.store.head(key),
  };
  interrupter.arm(interruption);
  const failure = await Promise.race([
    work(store).then(
      () => undefined,
      (error: unknown) => error,
    ),
    interrupter.death,
  ]);
  if (failure !== undefined) expect(failure).toMatchObject({ retryable: true });
  return { count: interrupter.count, release: () => interrupter.release() };
}

/** The first vacuum has only a floor to set, the second has files to delete. */
const CASES: readonly (readonly [name: string, work: Work, before: readonly Work[]])[] = [
  ['compaction', compact, []],
  ['a compaction of a base', compact, [compact]],
  ['a vacuum', vacuum, [compact, vacuum]],
];

describe.each(CASES)('%s', (_, work, before) => {
  const prepared = async () => {
    const table = await new Table().begin();
    for (const earlier of before) {
      await earlier(table.store);
      await table.commit();
    }
    return table;
  };

  test.each(BLOWS)('struck %s each of its requests', async (blow) => {
    const all = await prepared();
    const { count } = await struck(all, work);
    expect(count).toBeGreaterThan(1);
    await all.expectWhole();
    await all.end();
    for (let at = 1; at <= count; at += 1) {
      const table = await prepared();
      const { release } = await struck(table, work, { blow, at });
      await table.expectWhole();
      await table.commit();
      if (at % 2 === 0) await release();
      await work(table.store);
      await release();
      await table.expectWhole();
      await table.commit();
      // The vacuum that was struck may have set its floor, or not: what the sleeper wrote is there, or it is told to write again.
      await table.wake().catch((error: unknown) => {
        if (!isEosError(error, 'EOS_UNAVAILABLE')) throw error;
      });
      await compact(table.store);
      for (let run = 0; run < 3; run += 1) await vacuum(table.store);
      await table.expectWhole();
      await table.expectClean();
      await table.end();
    }
  });

  test('disturbs no writer that commits at each of its requests, and is not disturbed', async () => {
    const table = await prepared();
    let left = 25;
    let turn = Promise.resolve();
    const calls = new Set(['get', 'read', 'put', 'delete']);
    const store = new Proxy(table.store, {
      get: (target, name, receiver) => {
        const value: unknown = Reflect.get(target, name, receiver);
        if (typeof value !== 'function' || typeof name !== 'string' || !calls.has(name)) return value;
        return async (...parameters: readonly unknown[]) => {
          // Not for ever: who always puts first keeps everybody else out.
          left -= 1;
          if (left >= 0) await (turn = turn.then(() => table.commit()));
          return (await Reflect.apply(value, target, parameters)) as unknown;
        };
      },
    });
    await work(store);
    await table.expectWhole();
    await table.wake().catch((error: unknown) => {
      if (!isEosError(error, 'EOS_UNAVAILABLE')) throw error;
    });
    await table.expectWhole();
    await table.end();
  });
});
