import { chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';

import type { PostgresAddress } from '../postgres/types.js';
import { freePort } from '../process/free-port.js';
import { launch, untilReady } from '../process/managed-process.js';
import type { ManagedProcess } from '../process/managed-process.js';
import { temporaryFolder, unprivilegedUser } from '../process/system-user.js';
import type { SystemUser } from '../process/system-user.js';
import { guard } from '../process/watchdog.js';
import { findPgBouncer } from './program.js';

export interface PgBouncerOptions {
  /** The server behind it. Every database of that can be reached, as its user. */
  readonly postgres: PostgresAddress;
  readonly poolMode: 'session' | 'transaction' | 'statement';
  /** Connections to the server for each database. Default 5. */
  readonly poolSize?: number;
}

export interface PgBouncer {
  readonly port: number;
  /** The way through it to a database of the server. */
  urlOf(database: Pick<PostgresAddress, 'url'>): string;
  stop(): Promise<void>;
}

const START_MILLISECONDS = 30_000;

/**
 * Starts a PgBouncer on 127.0.0.1 in front of a PostgreSQL. It is stopped by `stop`, and by a watchdog when this process ends
 * without having called it.
 */
export async function startPgBouncer(options: PgBouncerOptions): Promise<PgBouncer> {
  const user = unprivilegedUser();
  const folder = await mkdtemp(join(await temporaryFolder(user), 'eos-pgbouncer-'));
  const release = guard({ signal: 'SIGTERM', remove: [folder] });
  const removeFiles = async (): Promise<void> => {
    await rm(folder, { recursive: true, force: true });
    release();
  };
  try {
    const program = await findPgBouncer(folder, user);
    const port = await freePort();
    const file = await configure(folder, port, options, user);
    const server = await launch({
      ...program,
      arguments: [file],
      directory: folder,
      user,
      logFile: join(folder, 'output.log'),
      orphanSignal: 'SIGKILL',
    });
    const stop = async (): Promise<void> => {
      await end(server);
      await removeFiles();
    };
    try {
      await untilReady(server, () => accepts(port), START_MILLISECONDS);
    } catch (error) {
      await stop();
      throw error;
    }
    const urlOf = ({ url }: Pick<PostgresAddress, 'url'>): string => {
      const through = new URL(url);
      through.hostname = '127.0.0.1';
      through.port = String(port);
      return through.href;
    };
    return { port, urlOf, stop };
  } catch (error) {
    await removeFiles();
    throw error;
  }
}

async function end(server: ManagedProcess): Promise<void> {
  server.signal('SIGKILL');
  await server.ended(START_MILLISECONDS);
}

/** Writes what it reads at its start, for `user` alone. */
async function configure(
  folder: string,
  port: number,
  { postgres, poolMode, poolSize = 5 }: PgBouncerOptions,
  user: SystemUser | undefined,
): Promise<string> {
  const [file, users] = [join(folder, 'pgbouncer.ini'), join(folder, 'users.txt')];
  const settings = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: 'scram-sha-256',
    auth_file: users,
    pool_mode: poolMode,
    default_pool_size: poolSize,
    max_client_conn: 200,
    server_lifetime: 3_600,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`);
  const database = `* = host=${postgres.host} port=${postgres.port}`;
  await writeFile(file, `[databases]\n${database}\n[pgbouncer]\n${lines.join('')}`, { mode: 0o600 });
  await writeFile(users, `"${postgres.user}" "${postgres.password}"\n`, { mode: 0o600 });
  await chmod(folder, 0o711);
  if (user !== undefined) for (const path of [folder, file, users]) await chown(path, user.uid, user.gid);
  return file;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
