import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Client } from 'pg';

import { ServiceError } from '../errors.js';
import { copyTree } from '../process/copy-tree.js';
import { temporaryFolder } from '../process/system-user.js';
import { guard } from '../process/watchdog.js';
import { withClient } from './database.js';

/** A folder with a copy of the data, and how to remove it. */
export interface DataCopy {
  readonly directory: string;
  remove(): Promise<void>;
}

// What a copy must not have: who runs the server now, its replicas, and leftovers of sessions.
const withoutContents =
  /^(pg_replslot|pg_dynshmem|pg_notify|pg_serial|pg_snapshots|pg_stat_tmp|pg_subtrans)\//;
const without = /^(postmaster\.pid|postmaster\.opts|backup_label\.old)$|(^|\/)pgsql_tmp/;

/**
 * Copies the data folder of a running server, by PostgreSQL's own protocol for that (continuous archiving, low level
 * base backup), so that the copy recovers to a consistent state.
 */
export async function copyData(url: string, data: string): Promise<DataCopy> {
  const directory = await mkdtemp(join(await temporaryFolder(undefined), 'eos-postgres-snapshot-'));
  const release = guard({ signal: 'SIGTERM', remove: [directory] });
  const remove = async (): Promise<void> => {
    await rm(directory, { recursive: true, force: true });
    release();
  };
  try {
    await withClient(url, (client) => backUp(client, data, directory));
    return { directory, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function backUp(client: Client, data: string, directory: string): Promise<void> {
  const name = `eos_snapshot_${randomBytes(6).toString('hex')}`;
  // The slot keeps the log from being recycled between the start and the copy of it. It goes with the connection.
  await client.query('SELECT pg_create_physical_replication_slot($1, true, true)', [name]);
  await client.query('SELECT pg_backup_start($1, true)', [name]);
  await copyTree(data, directory, {
    leaveOut: (path) => without.test(path) || withoutContents.test(path) || path.startsWith('pg_wal/'),
  });
  await chmod(directory, 0o700);
  const { rows } = await client.query<{ labelfile: string; spcmapfile: string | null }>(
    'SELECT labelfile, spcmapfile FROM pg_backup_stop(false)',
  );
  const [stopped] = rows;
  if (stopped === undefined) throw new ServiceError('EOS_SERVICE_FAILED', 'pg_backup_stop returned nothing');
  if (stopped.spcmapfile !== null && stopped.spcmapfile !== '') {
    throw new ServiceError(
      'EOS_SERVICE_UNSUPPORTED',
      'a snapshot of a server with tablespaces is not supported',
    );
  }
  await writeFile(join(directory, 'backup_label'), stopped.labelfile, { mode: 0o600 });
  // Only now does the log reach to the end of the backup.
  await rm(join(directory, 'pg_wal'), { recursive: true, force: true });
  await copyTree(join(data, 'pg_wal'), join(directory, 'pg_wal'));
}
