import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';

import { isRecord, ServiceError } from '../errors.js';
import { temporaryFolder, unprivilegedUser } from '../process/system-user.js';
import { withClient } from './database.js';
import { startPostgres } from './server.js';
import type { PostgresServer, TestDatabase } from './types.js';

const debianBinaries = '/usr/lib/postgresql/15/bin';
const packageRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

const numbersIn = (url: string): Promise<number[]> =>
  withClient(url, async (client) => {
    const { rows } = await client.query<{ n: number }>('SELECT n FROM t ORDER BY n');
    return rows.map(({ n }) => n);
  });

function untilLost(client: Client): Promise<void> {
  client.on('error', () => undefined);
  return new Promise((resolve) => client.once('end', resolve));
}

const insert = (url: string, n: number): Promise<unknown> =>
  withClient(url, (client) => client.query('INSERT INTO t VALUES ($1)', [n]));

describe('a started PostgreSQL', () => {
  let server: PostgresServer;
  let database: TestDatabase;

  beforeAll(async () => {
    server = await startPostgres();
    database = await server.createDatabase();
    await withClient(database.url, (client) => client.query('CREATE TABLE t (n int PRIMARY KEY)'));
    await insert(database.url, 1);
  }, 60_000);

  afterAll(() => server.stop());

  test('is the pinned version, syncs to disk and listens on the loopback only', async () => {
    const query = "SELECT current_setting('fsync') f, current_setting('listen_addresses') l, version() v";
    const [row] = (await withClient(database.url, (client) => client.query<Record<string, string>>(query)))
      .rows;
    expect(row).toMatchObject({
      f: 'on',
      l: '127.0.0.1',
      v: expect.stringContaining(`PostgreSQL ${server.version} `),
    });
    expect(server.version).toMatch(/^18\./);
  });

  test('rejects a wrong password', async () => {
    const client = new Client({ ...server, password: 'wrong' });
    await expect(client.connect()).rejects.toMatchObject({ code: '28P01' });
  });

  test('serves many connections at once that wait for one another', async () => {
    await withClient(database.url, (client) => client.query('CREATE TABLE counter AS SELECT 0 AS n'));
    const increment = () =>
      withClient(database.url, (client) => client.query('UPDATE counter SET n = n + 1'));
    await Promise.all(Array.from({ length: 20 }, increment));
    const { rows } = await withClient(database.url, (client) =>
      client.query<{ n: number }>('SELECT n FROM counter'),
    );
    expect(rows).toEqual([{ n: 20 }]);
  });

  test.each(['fast', 'immediate'] as const)(
    'keeps its address and what was committed over a restart, %s',
    async (mode) => {
      const open = new Client({ connectionString: database.url });
      const lost = untilLost(open);
      await open.connect();
      await open.query('BEGIN; INSERT INTO t VALUES (1000)');
      await server.restart(mode);
      await lost;
      expect(await numbersIn(database.url)).toEqual([1]);
    },
  );

  test('refuses connections between halt and start', async () => {
    await server.halt('immediate');
    await expect(numbersIn(database.url)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await server.start();
    expect(await numbersIn(database.url)).toEqual([1]);
  });

  test('answers nothing while frozen, and everything once thawed', async () => {
    await withClient(database.url, async (client) => {
      await client.query('SELECT 1');
      await server.freeze();
      const answer = client.query('SELECT 1').then(() => 'answered');
      expect(await Promise.race([answer, delay(300, 'silent')])).toBe('silent');
      await server.thaw();
      expect(await answer).toBe('answered');
    });
  });

  test('gives a snapshot with the transactions committed before it, and only those', async () => {
    await insert(database.url, 2);
    const snapshot = await server.snapshot();
    await insert(database.url, 3);
    const replica = await startPostgres({ from: snapshot });
    const url = database.url.replace(`:${server.port}/`, `:${replica.port}/`);
    expect(await numbersIn(url)).toEqual([1, 2]);
    await insert(url, 4);
    expect(await numbersIn(database.url)).toEqual([1, 2, 3]);
    await replica.stop();
    expect(existsSync(replica.directory)).toBe(false);
    await snapshot.remove();
    expect(existsSync(snapshot.directory)).toBe(false);
  }, 30_000);

  test('gives a snapshot without gaps of what is committed meanwhile', async () => {
    const busy = await server.createDatabase();
    await withClient(busy.url, (client) => client.query('CREATE TABLE t (n int PRIMARY KEY)'));
    let committed = 0;
    let isDone = false;
    const writing = withClient(busy.url, async (client) => {
      while (!isDone) {
        await client.query('INSERT INTO t VALUES ($1)', [committed + 1]);
        committed++;
      }
    });
    while (committed < 50) await delay(10);
    const before = committed;
    const snapshot = await server.snapshot();
    const after = committed;
    isDone = true;
    await writing;
    const replica = await startPostgres({ from: snapshot });
    const found = await numbersIn(busy.url.replace(`:${server.port}/`, `:${replica.port}/`));
    expect(found).toEqual(found.map((_n, index) => index + 1));
    expect(found.length).toBeGreaterThanOrEqual(before);
    expect(found.length).toBeLessThanOrEqual(after + 1);
    await Promise.all([replica.stop(), snapshot.remove(), busy.drop()]);
  }, 30_000);

  test('drops a database that is still in use', async () => {
    const other = await server.createDatabase('in "use"');
    const client = new Client({ connectionString: other.url });
    const lost = untilLost(client);
    await client.connect();
    await other.drop();
    await lost;
    await expect(withClient(other.url, (again) => again.query('SELECT 1'))).rejects.toMatchObject({
      code: '3D000',
    });
  });
});

describe('a database that was dropped', () => {
  let server: PostgresServer;

  beforeAll(async () => {
    server = await startPostgres();
  });

  afterAll(() => server.stop());

  /** All that a database holds by itself, as the server lists it. */
  const contents = (url: string): Promise<unknown> =>
    withClient(url, async (client) => {
      const { rows } = await client.query<Record<string, unknown>>(`
        SELECT 'schema' AS kind, nspname AS name, nspowner::regrole::text || coalesce(nspacl::text, '') AS further FROM pg_namespace
          WHERE nspname !~ '^pg_(toast_)?temp_'
        UNION ALL SELECT 'relation', oid::regclass::text, relacl::text FROM pg_class
        UNION ALL SELECT 'type', oid::regtype::text, typacl::text FROM pg_type
        UNION ALL SELECT 'function', oid::regprocedure::text, proacl::text FROM pg_proc
        UNION ALL SELECT 'extension', extname, extversion FROM pg_extension
        UNION ALL SELECT 'event trigger', evtname, evtevent FROM pg_event_trigger
        UNION ALL SELECT 'large object', oid::text, lomacl::text FROM pg_largeobject_metadata
        UNION ALL SELECT 'comment', description, classoid::regclass::text FROM pg_description
        UNION ALL SELECT 'database', datallowconn::text, datacl::text FROM pg_database WHERE datname = current_database()
        UNION ALL SELECT 'setting', setrole::text, setconfig::text FROM pg_db_role_setting
          WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
        ORDER BY 1, 2, 3`);
      return rows;
    });

  test.each([
    [
      'comes back empty, under another name',
      `CREATE TABLE t (n int PRIMARY KEY); CREATE SCHEMA "of ""mine"""; CREATE TYPE "of ""mine""".mood AS ENUM ('good');
       CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE TEMPORARY TABLE passing (n int);
       REVOKE ALL ON SCHEMA public FROM PUBLIC; BEGIN; LOCK TABLE t`,
      true,
    ],
    ['is made anew where it has grants of its own', 'REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', false],
    ['is made anew where it has settings of its own', 'ALTER DATABASE %I SET work_mem = 64', false],
    ['is made anew where it holds what lies in no schema', 'SELECT lo_create(0)', false],
  ])('%s', async (_name, statements, isKept) => {
    const database = await server.createDatabase();
    const oidOf = (name: string): Promise<unknown> =>
      withClient(server.url, async (client) => {
        const query = 'SELECT oid FROM pg_database WHERE datname = $1';
        const { rows } = await client.query<{ oid: number }>(query, [name]);
        return rows[0];
      });
    const oid = await oidOf(database.database);
    const client = new Client({ connectionString: database.url });
    const lost = untilLost(client);
    await client.connect();
    await client.query(statements.replaceAll('%I', `"${database.database}"`));
    await Promise.all([database.drop(), database.drop()]);
    await lost;
    const again = await server.createDatabase();
    expect(again.database).not.toBe(database.database);
    await expect(contents(database.url)).rejects.toMatchObject({ code: '3D000' });
    const fresh = await server.createDatabase(`fresh ${again.database}`);
    expect(await contents(again.url)).toEqual(await contents(fresh.url));
    expect(isKept).toBe(JSON.stringify(await oidOf(again.database)) === JSON.stringify(oid));
    await Promise.all([again.drop(), fresh.drop()]);
  });
});

describe('startPostgres', () => {
  test('applies settings, and keeps a folder that was given', async () => {
    const parent = await mkdtemp(join(await temporaryFolder(unprivilegedUser()), 'eos-postgres-kept-'));
    await chmod(parent, 0o711);
    const directory = join(parent, 'server');
    const settings = { max_connections: 7, synchronous_commit: false, application_name: "it's" };
    const first = await startPostgres({ directory, settings });
    await withClient(first.url, (client) => client.query('CREATE TABLE t AS SELECT 5 AS n'));
    await first.stop();
    const second = await startPostgres({ directory });
    const show = (name: string) =>
      withClient(
        second.url,
        async (client) => (await client.query<Record<string, string>>(`SHOW ${name}`)).rows[0]?.[name],
      );
    expect(await numbersIn(second.url)).toEqual([5]);
    expect(await Promise.all(['max_connections', 'synchronous_commit'].map(show))).toEqual(['7', 'off']);
    expect(second.password).toBe(first.password);
    await second.stop();
    expect(existsSync(join(directory, 'data', 'PG_VERSION'))).toBe(true);
    await rm(parent, { recursive: true });
  }, 30_000);

  test('says why a server did not start, and leaves nothing behind', async () => {
    const failure = startPostgres({ settings: { no_such_setting: 1 } });
    await expect(failure).rejects.toBeInstanceOf(ServiceError);
    await expect(failure).rejects.toThrow('no_such_setting');
  });

  (existsSync(debianBinaries) ? test : test.skip)(
    'runs another version',
    async () => {
      const server = await startPostgres({ binaries: debianBinaries });
      expect(server.version).toMatch(/^15\./);
      const snapshot = await server.snapshot();
      const replica = await startPostgres({ from: snapshot });
      expect(replica.version).toBe(server.version);
      await Promise.all([server.stop(), replica.stop(), snapshot.remove()]);
    },
    30_000,
  );
});

function parseStarted([line]: unknown[]): { url: string; directory: string } {
  const started: unknown = JSON.parse(String(line));
  if (!isRecord(started)) throw new TypeError(`not what the child prints: ${String(line)}`);
  return { url: String(started.url), directory: String(started.directory) };
}

// A child of a test runs what was built.
const built = join(packageRoot, 'dist', 'index.js');
(existsSync(built) ? describe : describe.skip)('when the program that started it', () => {
  const program = `
    const { startPostgres } = await import(${JSON.stringify(built)});
    const server = await startPostgres();
    console.log(JSON.stringify({ url: server.url, directory: server.directory }));
  `;

  test('is killed while the folder of its server is being filled, the watchdog removes that', async () => {
    const parent = await temporaryFolder(unprivilegedUser());
    const before = new Set(await readdir(parent));
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: 'ignore' });
    const exit = once(child, 'exit');
    const made = async () =>
      (await readdir(parent)).filter(
        (name) =>
          name.startsWith('eos-postgres-') && !before.has(name) && existsSync(join(parent, name, 'data')),
      );
    let folders = await made();
    for (let waited = 0; folders.length === 0 && waited < 10_000; waited += 5) {
      await delay(5);
      folders = await made();
    }
    child.kill('SIGKILL');
    await exit;
    const [folder = ''] = folders;
    expect(folder).not.toBe('');
    for (let waited = 0; existsSync(join(parent, folder)) && waited < 15_000; waited += 100) await delay(100);
    // An initdb that outlived its parent must not bring it back.
    await delay(1_500);
    expect(existsSync(join(parent, folder))).toBe(false);
  }, 30_000);

  test.each([
    ['is killed', `${program}; setInterval(() => {}, 1000)`, 'SIGKILL'],
    [
      'is killed while the server is frozen',
      `${program}; await server.freeze(); console.log(); setInterval(() => {}, 1000)`,
      'SIGKILL',
    ],
    ['ends without stopping it', program, undefined],
  ] as const)(
    '%s, the watchdog stops the server and removes its data',
    async (_name, code, signal) => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const exit = once(child, 'exit');
      const lines = createInterface({ input: child.stdout });
      const { url, directory } = parseStarted(await once(lines, 'line'));
      if (code.includes('freeze')) await once(lines, 'line');
      if (signal !== undefined) child.kill(signal);
      await exit;
      for (let waited = 0; existsSync(directory) && waited < 15_000; waited += 100) await delay(100);
      expect(existsSync(directory)).toBe(false);
      await expect(withClient(url, (client) => client.query('SELECT 1'))).rejects.toMatchObject({
        code: 'ECONNREFUSED',
      });
    },
    30_000,
  );
});
