import { isEosError, type EosErrorCode } from '@eos/core';
import type { ObjectEntry, ObjectStore } from '@eos/object-store';
import type { Route } from '../conformance/destination.js';
import type { TestRunner } from '../conformance/runner-port.js';
import type { ObjectStoreConformanceOptions, StoreHarness } from './harness.js';

/** How a file of guarantees declares its tests. */
export interface StoreSuite {
  readonly group: (name: string, body: () => void) => void;
  /** A test with a store of its own. */
  readonly test: (name: string, body: (world: StoreWorld) => Promise<void>) => void;
}

const TEST_TIMEOUT_MS = 120_000;

export function storeSuiteOf({ describe, test, expect, create }: ObjectStoreConformanceOptions): StoreSuite {
  return {
    group: (name, body) => void describe(name, body),
    test: (name, body) => {
      const run = async () => {
        const world = new StoreWorld(await create(), expect);
        try {
          await body(world);
        } finally {
          await world.close();
        }
      };
      test(name, run, TEST_TIMEOUT_MS);
    },
  };
}

/** A store of one test's own, and what tests do and check in words. */
export class StoreWorld {
  readonly #opened: ObjectStore[] = [];

  constructor(
    readonly harness: StoreHarness,
    readonly expect: TestRunner['expect'],
  ) {}

  /** A client, which is closed when the test ends. */
  async open(route: Route = 'direct'): Promise<ObjectStore> {
    const store = await this.harness.open(route);
    this.#opened.push(store);
    return store;
  }

  async openMany(count: number): Promise<ObjectStore[]> {
    return await Promise.all(Array.from({ length: count }, () => this.open()));
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#opened.map((store) => store.close()));
    await this.harness.close();
  }

  /** Every client sees this text under the key; undefined: sees nothing. */
  async expectText(store: ObjectStore, key: string, text: string | undefined): Promise<void> {
    const found = await store.get(key);
    const head = await store.head(key);
    const listed = await keysOf(store, key);
    this.expect({
      body: found && textOf(found.body),
      bytes: head?.bytes,
      listed: listed.includes(key),
    }).toEqual({
      body: text,
      bytes: text === undefined ? undefined : Buffer.byteLength(text),
      listed: text !== undefined,
    });
  }

  /** The call fails with this code (or one of these). */
  async expectCode(call: Promise<unknown>, ...codes: readonly EosErrorCode[]): Promise<void> {
    const failure = await failureOf(call);
    const code = isEosError(failure) ? failure.code : failure;
    this.expect(isEosError(failure) && codes.includes(failure.code) ? codes : code).toEqual(codes);
  }
}

/** What a promise was rejected with; undefined where it was not. */
export async function failureOf(call: Promise<unknown>): Promise<unknown> {
  try {
    await call;
    return undefined;
  } catch (error) {
    return error ?? new Error('rejected with nothing');
  }
}

export function bytesOf(text: string): Uint8Array {
  return Buffer.from(text);
}

export function textOf(body: Uint8Array): string {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString();
}

export async function keysOf(store: ObjectStore, prefix?: string): Promise<string[]> {
  const entries = await entriesOf(store, prefix);
  return entries.map(({ key }) => key);
}

export async function entriesOf(store: ObjectStore, prefix?: string): Promise<ObjectEntry[]> {
  const entries: ObjectEntry[] = [];
  for await (const page of store.list(prefix === undefined ? {} : { prefix })) entries.push(...page);
  return entries;
}
