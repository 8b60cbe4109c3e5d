/** What the tests have in common: a database for each, and rows committed in few words. */
import {
  isEosError,
  type Advances,
  type ChangeBatch,
  type CommitRange,
  type EosError,
  type Op,
  type Sink,
  type SinkContext,
  type SinkSession,
  type SinkTransaction,
} from '@eos/core';
import type { PostgresService, TestDatabase } from '@eos/services';
import { Client, type QueryResultRow } from 'pg';
import { postgresSink, type PostgresSinkOptions } from './index.js';

export type Row = Record<string, unknown>;

/** Random tests name it in their title; `EOS_TEST_SEED` repeats them. */
export const seed = Number(process.env['EOS_TEST_SEED'] ?? Date.now() % 2 ** 31);

export const context: SinkContext = { pipeline: 'orders', sink: 'flights' };

/** A database of one test's own. */
export class Fixture {
  readonly #sinks: Sink<Row>[] = [];

  constructor(
    readonly database: TestDatabase,
    readonly client: Client,
  ) {}

  /** Opens a sink, which is closed when the test ends. */
  async open(
    options: Omit<PostgresSinkOptions, 'connection'> & Partial<PostgresSinkOptions>,
    at = context,
  ): Promise<Sink<Row>> {
    const sink = await postgresSink<Row>({ connection: this.database.url, ...options }).open(at);
    this.#sinks.push(sink);
    return sink;
  }

  async query<R extends QueryResultRow = Row>(text: string): Promise<R[]> {
    return (await this.client.query<R>(text)).rows;
  }

  /** What a column of a query holds, in order. */
  async column(text: string): Promise<unknown[]> {
    const { rows } = await this.client.query<unknown[]>({ text, rowMode: 'array' });
    return rows.map(([value]) => value);
  }

  /** Another connection, closed when the test ends. */
  async connect(user?: { readonly user: string; readonly password: string }): Promise<Client> {
    const client = new Client({ connectionString: this.urlOf(user) });
    client.on('error', () => undefined);
    await client.connect();
    this.#clients.push(client);
    return client;
  }

  urlOf(user?: { readonly user: string; readonly password: string }): string {
    const url = new URL(this.database.url);
    if (user !== undefined) Object.assign(url, { username: user.user, password: user.password });
    return url.href;
  }

  readonly #clients: Client[] = [];

  async close(): Promise<void> {
    await Promise.allSettled(this.#sinks.map((sink) => sink.close()));
    await Promise.allSettled(this.#clients.map((client) => client.end()));
    await this.client.end().catch(() => undefined);
    await this.database.drop();
  }
}

export async function withDatabase(
  service: PostgresService,
  work: (fixture: Fixture) => Promise<void>,
): Promise<void> {
  const database = await service.createDatabase();
  const client = new Client({ connectionString: database.url });
  client.on('error', () => undefined);
  await client.connect();
  const fixture = new Fixture(database, client);
  try {
    await work(fixture);
  } finally {
    await fixture.close();
  }
}

export interface Changes {
  readonly rows: readonly Row[];
  readonly ops?: readonly Op[];
}

/** A batch of partition 0 whose offsets count from `first`. */
export function batchOf({ rows, ops }: Changes, first = 0): ChangeBatch<Row> {
  return {
    partition: '0',
    rows,
    offsets: BigInt64Array.from(rows, (_, index) => BigInt(first + index)),
    ...(ops === undefined ? {} : { ops: Uint8Array.from(ops) }),
  };
}

export function rangeOf(session: SinkSession<Row>, offset: bigint): CommitRange {
  const to: Advances = new Map([['0', { offset, source: { file: 'a' } }]]);
  return { from: new Map(session.positions), to };
}

/** Begins a transaction and prepares it with these batches. */
export async function prepared(
  session: SinkSession<Row>,
  ...batches: readonly Changes[]
): Promise<SinkTransaction<Row>> {
  const transaction = await session.begin();
  for (const batch of batches) await transaction.write(batchOf(batch));
  await transaction.prepare();
  return transaction;
}

/** Commits these batches as one transaction, and moves the position by one. */
export async function commit(session: SinkSession<Row>, ...batches: readonly Changes[]): Promise<void> {
  const transaction = await prepared(session, ...batches);
  await transaction.commit(rangeOf(session, (session.positions.get('0')?.offset ?? 0n) + 1n));
}

/** The EosError that a call fails with. */
export async function failureOf(call: Promise<unknown>): Promise<EosError> {
  try {
    await call;
  } catch (error) {
    if (isEosError(error)) return error;
    throw error;
  }
  throw new Error('the call did not fail');
}
