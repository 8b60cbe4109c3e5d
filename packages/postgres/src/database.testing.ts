/** What the tests have in common: a database for each, and rows committed in few words. */
import { Socket } from 'node:net';
import { setImmediate as turn, setTimeout as delay } from 'node:timers/promises';
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
import { postgresSink, type PostgresSinkOptions, type RoutedSinkOptions } from './index.js';

export type Row = Record<string, unknown>;

/** Random tests name it in their title; `EOS_TEST_SEED` repeats them. */
export const seed = Number(process.env['EOS_TEST_SEED'] ?? Date.now() % 2 ** 31);

export const context: SinkContext = { pipeline: 'orders', sink: 'flights' };

/** How long a condition is waited for: it is there in milliseconds, unless the machine has other things to do. */
const PATIENCE_MS = 60_000;

/** Holds up whoever commits or writes, inside the server, for as long as it is shut. */
export interface Gate {
  /** Resolves when so many stand before it. */
  reached(count?: number): Promise<void>;
  open(): Promise<void>;
}

/** A database of one test's own. */
export class Fixture {
  readonly #sinks: Sink<Row>[] = [];
  /** Of the sinks, those that are open. */
  readonly #sockets = new Set<Socket>();

  constructor(
    readonly database: TestDatabase,
    readonly client: Client,
  ) {}

  /** Opens a sink, which is closed when the test ends. */
  async open(
    options: (Omit<PostgresSinkOptions, 'connection'> | Omit<RoutedSinkOptions<Row>, 'connection'>) &
      Partial<Pick<PostgresSinkOptions, 'connection'>>,
    at = context,
  ): Promise<Sink<Row>> {
    const connection = { connectionString: this.database.url, stream: () => this.#socket() };
    const sink = await postgresSink<Row>({ connection, ...options }).open(at);
    this.#sinks.push(sink);
    return sink;
  }

  #socket(): Socket {
    const socket = new Socket();
    this.#sockets.add(socket);
    return socket.once('close', () => this.#sockets.delete(socket));
  }

  /** Ends every connection of sinks, as an administrator or a failing network would, and waits until the sinks have noticed. */
  async cut(): Promise<void> {
    await this.query(`
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE datname = current_database() AND application_name LIKE 'eos %'`);
    await Promise.all([...this.#sockets].map(closed));
    await turn();
  }

  /** Waits until the server has ended a connection of a sink, and the sink has noticed. */
  async untilCut(): Promise<void> {
    await Promise.race([...this.#sockets].map(closed));
    await turn();
  }

  /** Waits until the server says so. */
  async until(condition: string): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    for (;;) {
      // Within a transaction, what the statistics say is what they said first.
      await this.query('SELECT pg_stat_clear_snapshot()');
      const [isSo] = await this.column(`SELECT (${condition}) AS "isSo"`);
      if (isSo === true) return;
      if (performance.now() > end) throw new Error(`the server never came to: ${condition}`);
      await delay(10);
    }
  }

  /** Waits until the server has seen off every connection of sinks. One that is slow at it is not waited for by `close`. */
  async untilGone(): Promise<void> {
    await this.until(`
      NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'eos %')`);
  }

  /** Waits until so many connections of this database wait for a lock of this type. */
  async untilLocked(type: 'advisory' | 'transactionid' | 'relation', count = 1): Promise<void> {
    await this.until(`
      SELECT count(*) = ${count} FROM pg_locks l JOIN pg_stat_activity a USING (pid)
      WHERE NOT l.granted AND l.locktype = '${type}' AND a.datname = current_database()`);
  }

  /**
   * Shuts a gate before each row of `table`.
   * @param when such as `AFTER INSERT`
   */
  async gate(table: string, when: string): Promise<Gate> {
    const keeper = await this.connect();
    await keeper.query('SELECT pg_advisory_lock(1)');
    await keeper.query(`
      CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NEW; END';
      CREATE TRIGGER gate ${when} ON ${table} FOR EACH ROW EXECUTE FUNCTION gate()`);
    return {
      reached: (count = 1) => this.untilLocked('advisory', count),
      open: async () => {
        await keeper.query('SELECT pg_advisory_unlock(1)');
      },
    };
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

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
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

export function rangeOf(session: SinkSession<Row>, offset: bigint, partition = '0'): CommitRange {
  const to: Advances = new Map([[partition, { offset, source: { file: 'a' } }]]);
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
