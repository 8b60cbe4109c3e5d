import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { ServiceError } from '../errors.js';
import { freePort } from '../process/free-port.js';
import { launch, untilReady } from '../process/managed-process.js';
import type { ManagedProcess } from '../process/managed-process.js';
import { unprivilegedUser } from '../process/system-user.js';
import type { SystemUser } from '../process/system-user.js';
import { BINARIES, findBinaries } from './binaries.js';
import type { PostgresBinaries } from './binaries.js';
import { prepareCluster, superuser } from './cluster.js';
import type { Cluster } from './cluster.js';
import { addressOf } from './database.js';
import { databasePool } from './database-pool.js';
import { childrenOf } from './process-tree.js';
import { copyData } from './snapshot.js';
import type { PostgresOptions, PostgresServer, ShutdownMode } from './types.js';

const run = promisify(execFile);

// Recovery after a crash reads the log since the last checkpoint, which may take a while on a busy machine.
const START_MILLISECONDS = 60_000;
const STOP_MILLISECONDS = 30_000;
const signals = { fast: 'SIGINT', immediate: 'SIGQUIT' } as const;

/**
 * Starts a PostgreSQL on 127.0.0.1 with a random password. It is stopped by `stop`, and by a watchdog when this
 * process ends without having called it, even by SIGKILL.
 *
 * @example
 * const server = await startPostgres();
 * const { url, drop } = await server.createDatabase();
 * await server.restart('immediate');
 * await server.stop();
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const user = unprivilegedUser();
  const folder = options.binaries ?? options.from?.binaries ?? process.env[BINARIES];
  const binaries = await findBinaries(folder, user);
  const cluster = await prepareCluster(options, binaries, user);
  const removeFiles = async (): Promise<void> => {
    if (cluster.temporary) await rm(cluster.directory, { recursive: true, force: true });
    cluster.release();
  };
  try {
    const port = options.port ?? (await freePort());
    const first = await runServer(cluster, binaries, port, user);
    return control({ cluster, binaries, folder, port, user, removeFiles }, first);
  } catch (error) {
    await removeFiles();
    throw error;
  }
}

interface Setup {
  readonly cluster: Cluster;
  readonly binaries: PostgresBinaries;
  readonly folder: string | undefined;
  readonly port: number;
  readonly user: SystemUser | undefined;
  removeFiles(): Promise<void>;
}

function control(setup: Setup, first: ManagedProcess): PostgresServer {
  const { cluster, binaries, folder, port, user } = setup;
  const login = { host: '127.0.0.1', port, user: superuser, password: cluster.password };
  const address = addressOf(login, 'postgres');
  let server = first;
  const halt = async (mode: ShutdownMode): Promise<void> => {
    if (server.isRunning()) await thaw(server);
    await shutDown(server, cluster, binaries, mode);
  };
  const start = async (): Promise<void> => {
    if (!server.isRunning()) server = await runServer(cluster, binaries, port, user);
  };
  return {
    ...address,
    version: binaries.version,
    directory: cluster.directory,
    logFile: cluster.logFile,
    createDatabase: databasePool(address).take,
    halt,
    start,
    async restart(mode) {
      await halt(mode);
      await start();
    },
    freeze: () => freeze(server),
    thaw: () => thaw(server),
    async snapshot() {
      const copy = await copyData(address.url, cluster.data);
      return { ...copy, user: superuser, password: cluster.password, binaries: folder };
    },
    async stop() {
      // Data that will be removed needs no checkpoint.
      await halt(cluster.temporary ? 'immediate' : 'fast');
      await setup.removeFiles();
    },
  };
}

async function runServer(
  cluster: Cluster,
  binaries: PostgresBinaries,
  port: number,
  user: SystemUser | undefined,
): Promise<ManagedProcess> {
  // On the command line, so that they hold for every folder, whatever its own settings say.
  const fixed = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    logging_collector: 'off',
  };
  const settings = Object.entries(fixed).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = await launch({
    command: binaries.postgres,
    arguments: ['-D', cluster.data, ...settings],
    directory: cluster.directory,
    user,
    logFile: cluster.logFile,
    orphanSignal: cluster.temporary ? 'SIGQUIT' : 'SIGINT',
  });
  try {
    await untilReady(server, () => isReady(cluster, server.pid), START_MILLISECONDS);
    return server;
  } catch (error) {
    await shutDown(server, cluster, binaries, 'immediate');
    throw error;
  }
}

/** The server keeps its state in its lock file: the first line is its process, the eighth `ready` once it is. */
async function isReady(cluster: Cluster, pid: number): Promise<boolean> {
  const text = await readFile(join(cluster.data, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = text.split('\n');
  return Number(lines[0]) === pid && lines[7]?.trim() === 'ready';
}

async function shutDown(
  server: ManagedProcess,
  cluster: Cluster,
  binaries: PostgresBinaries,
  mode: ShutdownMode,
): Promise<void> {
  if (!server.isRunning()) return;
  if (process.platform === 'win32') {
    // Windows has no signals: `kill` would end only the first process, without any order.
    const controller = join(dirname(binaries.postgres), 'pg_ctl.exe');
    await run(controller, ['stop', '-D', cluster.data, '-m', mode]).catch(() => {});
  } else {
    server.signal(signals[mode]);
  }
  await server.ended(STOP_MILLISECONDS);
}

async function freeze(server: ManagedProcess): Promise<void> {
  if (process.platform === 'win32') {
    throw new ServiceError('EOS_SERVICE_UNSUPPORTED', 'Windows cannot freeze a process');
  }
  // The parent first: from then on there are no new children.
  server.signal('SIGSTOP');
  for (const child of await childrenOf(server.pid)) signalIfAlive(child, 'SIGSTOP');
}

async function thaw(server: ManagedProcess): Promise<void> {
  if (process.platform === 'win32') return;
  for (const child of await childrenOf(server.pid)) signalIfAlive(child, 'SIGCONT');
  server.signal('SIGCONT');
}

function signalIfAlive(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended in between.
  }
}
