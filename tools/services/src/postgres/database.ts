import { randomBytes } from 'node:crypto';

import { Client, escapeIdentifier } from 'pg';

import type { PostgresAddress, TestDatabase } from './types.js';

/** The address of another database on the same server. */
export function addressOf(
  server: Omit<PostgresAddress, 'url' | 'database'>,
  database: string,
): PostgresAddress {
  const { host, port, user, password } = server;
  const credentials = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
  const hostPart = host.includes(':') ? `[${host}]` : host;
  const url = `postgresql://${credentials}@${hostPart}:${port}/${encodeURIComponent(database)}`;
  return { url, host, port, user, password, database };
}

/** Reads a `postgresql://` URL. Parameters behind a `?` stay part of the URL. */
export function parseAddress(url: string): PostgresAddress {
  const { hostname, port, username, password, pathname } = new URL(url);
  const user = decodeURIComponent(username);
  return {
    url,
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? 5432 : Number(port),
    user,
    password: decodeURIComponent(password),
    database: decodeURIComponent(pathname.slice(1)) || user,
  };
}

/** Runs `work` on one connection and closes it. */
export async function withClient<Result>(
  url: string,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  const client = new Client({ connectionString: url });
  // A server that is stopped on purpose ends its connections; the query under way reports it.
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

/** Creates a database on the server at `admin`. */
export async function createDatabase(admin: PostgresAddress, name?: string): Promise<TestDatabase> {
  const database = name ?? `eos_test_${randomBytes(6).toString('hex')}`;
  await withClient(admin.url, (client) => client.query(`CREATE DATABASE ${escapeIdentifier(database)}`));
  return databaseAt(admin, database);
}

/** A database that is there, on the server at `admin`. */
export function databaseAt(admin: PostgresAddress, database: string): TestDatabase {
  const url = new URL(admin.url);
  url.pathname = `/${encodeURIComponent(database)}`;
  const drop = `DROP DATABASE IF EXISTS ${escapeIdentifier(database)} WITH (FORCE)`;
  return {
    ...admin,
    url: url.href,
    database,
    async drop() {
      await withClient(admin.url, (client) => client.query(drop));
    },
  };
}
