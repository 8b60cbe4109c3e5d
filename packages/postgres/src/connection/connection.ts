/** One connection to the server: opened, set up, bounded in time, and never the end of the process. */
import { EosError, messageOf } from '@eos/core';
import { Client, type ClientConfig } from 'pg';
import { mapConnectError } from './connect-error.js';
import { literal } from './identifiers.js';
import type { Settings } from '../options.js';

/** One row of an answer: every value as the server's text. */
export type TextRow = readonly (string | null)[];

/** The answer to one statement. */
export interface Answer {
  /** The tag, such as `COMMIT` or `ROLLBACK`. */
  readonly command: string;
  readonly rows: readonly TextRow[];
}

export interface Link {
  readonly client: Client;
  /** The server's process behind it, and when that began: together they name it for good. */
  readonly pid: number;
  readonly startedAt: string;
  /** Why the connection is gone, or undefined. */
  readonly lost: Error | undefined;
  /**
   * Runs one or more statements in one round trip (the simple protocol: any of them failing skips the rest).
   * @throws what the server answered, or why there was no answer; see `mapError`
   */
  run(text: string, timeoutMs?: number): Promise<readonly Answer[]>;
  /** Fails `answer` and gives the connection up unless it settles in time. */
  bounded<T>(answer: Promise<T>, timeoutMs?: number): Promise<T>;
  /** Ends the connection at once; the server rolls back what was open. */
  destroy(reason?: Error): void;
  /** Ends an idle connection politely, a busy one at once. */
  close(): Promise<void>;
}

/** How long a server may take to see an idle connection off. */
const GOODBYE_MS = 500;

/**
 * Text instead of parsed values: what a program has set as `pg`'s parsers must not change what is read here.
 */
export const AS_TEXT = { rowMode: 'array', types: { getTypeParser: () => same } } as const;

function same<Value>(value: Value): Value {
  return value;
}

/**
 * Connects.
 * @throws EOS_UNAVAILABLE and what else `mapError` makes of the server's answer
 */
export async function openLink(settings: Settings, name: string): Promise<Link> {
  const client = newClient({
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    connectionTimeoutMillis: 10_000,
    fallback_application_name: name,
    ...settings.connection,
    // How answers are read is this file's business: one query at a time, as text.
    pipeline: false,
    query_timeout: 0,
  });
  const link = new OpenLink(client, settings.statementTimeoutMs, settings.connection);
  try {
    await client.connect();
    await link.setUp(settings);
    return link;
  } catch (error) {
    link.destroy();
    throw mapConnectError(error);
  }
}

/** @throws EOS_CONFIG for a connection that pg cannot make sense of */
function newClient(config: ClientConfig & { readonly pipeline: boolean }): Client {
  try {
    return new Client(config);
  } catch (error) {
    // The text of a URL may hold the password: it is not repeated.
    throw new EosError('EOS_CONFIG', `connection: ${messageOf(error)}`, {
      details: { option: 'connection' },
    });
  }
}

class OpenLink implements Link {
  pid = 0;
  startedAt = '';
  lost: Error | undefined;
  #busy = 0;

  constructor(
    readonly client: Client,
    private readonly statementTimeoutMs: number,
    private readonly asked: ClientConfig,
  ) {
    // A connection that breaks while nobody asks must not end the process: the next call reports it.
    client.on('error', (error) => (this.lost ??= error));
    client.on('end', () => (this.lost ??= new Error('the connection was closed')));
  }

  /**
   * The settings that the texts sent and read here rely on. One batch instead of start-up options, which poolers refuse.
   * The server's own keep-alive finds a client whose machine is gone.
   */
  async setUp({ idleInTransactionTimeoutMs }: Settings): Promise<void> {
    const answers = await this.run(`
      SET client_encoding = 'UTF8'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; SET TimeZone = 'UTC';
      SET standard_conforming_strings = on; SET jit = off;
      SET idle_in_transaction_session_timeout = ${idleInTransactionTimeoutMs};
      SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3;
      ${this.#unlessAsked()}
      SELECT pid, backend_start FROM pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid())`);
    const [pid, startedAt] = answers.at(-1)?.rows[0] ?? [];
    this.pid = Number(pid ?? 0);
    this.startedAt = startedAt ?? '';
  }

  /**
   * A role's own limits would end a COPY that spans a transaction again and again; those here are Eos's, and what the caller asked
   * for stays. A backend that waits for a lock finds by looking that its client has given up (not every version and platform can).
   */
  #unlessAsked(): string {
    const { statement_timeout: statement, lock_timeout: lock } = this.asked;
    const limits = [
      ...(statement === undefined ? ['statement_timeout', 'transaction_timeout'] : []),
      ...(lock === undefined ? ['lock_timeout'] : []),
      'idle_session_timeout',
    ];
    const names = limits.map(literal).join(', ');
    // Not every version knows each of them. The view of all settings would take the server longer than the rest.
    return `
      SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.unnest(ARRAY[${names}]) AS s(name)
        WHERE pg_catalog.current_setting(name, true) IS NOT NULL;
      SELECT pg_catalog.set_config(name, '10000', false) FROM (VALUES ('client_connection_check_interval')) AS s(name)
        WHERE pg_catalog.current_setting(name, true) IS NOT NULL AND pg_catalog.version() LIKE '%linux%';`;
  }

  async run(text: string, timeoutMs?: number): Promise<readonly Answer[]> {
    if (this.lost !== undefined) throw this.lost;
    const answer = this.client.query<(string | null)[]>({ text, ...AS_TEXT });
    return answersOf(await this.bounded(answer, timeoutMs));
  }

  async bounded<T>(answer: Promise<T>, timeoutMs = this.statementTimeoutMs): Promise<T> {
    this.#busy += 1;
    const timer = setTimeout(() => this.destroy(noAnswer(timeoutMs)), timeoutMs);
    try {
      return await answer;
    } catch (error) {
      // The socket's end is only how our own decision shows.
      throw this.lost instanceof EosError ? this.lost : error;
    } finally {
      clearTimeout(timer);
      this.#busy -= 1;
    }
  }

  destroy(reason?: Error): void {
    this.lost ??= reason ?? new Error('the connection was closed');
    this.client.connection.stream.destroy();
  }

  async close(): Promise<void> {
    if (this.lost !== undefined || this.#busy > 0) {
      this.destroy();
      return;
    }
    const timer = setTimeout(() => this.destroy(), GOODBYE_MS);
    await this.client.end().catch((error: unknown) => void messageOf(error));
    clearTimeout(timer);
  }
}

function noAnswer(timeoutMs: number): EosError {
  const message = `the server gave no answer for ${timeoutMs} ms: the connection was given up`;
  return new EosError('EOS_UNAVAILABLE', message, { retryable: true });
}

/** pg answers one statement with an object, several with a list. */
export type Result = Answer | readonly Answer[];

export function answersOf(result: Result): readonly Answer[] {
  return isList(result) ? result : [result];
}

function isList(result: Result): result is readonly Answer[] {
  return Array.isArray(result);
}

/** What the server shows of a session, in `pg_stat_activity`. */
export function linkName(pipeline: string, sink: string): string {
  return `eos ${pipeline}/${sink}`;
}
