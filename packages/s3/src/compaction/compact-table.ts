/**
 * Folds a prefix of the log into a base: its small files are merged, deletes are applied, and the result is a list of files that stands for
 * all entries up to one. Positions and entries above it stay as they are, so that writers notice nothing; what was replaced is deleted by vacuum.
 */
import { createHash, randomUUID } from 'node:crypto';
import { EosError, type CompactReport, type RowSchema } from '@eos/core';
import { createDataFiles } from '../files/data-files-writer.js';
import type { DataFile } from '../files/data-files.js';
import type { FileSettings } from '../files/settings.js';
import type { BaseEntry, ManifestReference } from '../log/entry.js';
import { openLog, type OpenLog, type TablePlace } from '../log/index.js';
import { EOS_FOLDER, seqText } from '../log/keys.js';
import { manifestText } from '../log/manifest.js';
import { newNonce } from '../log/nonce.js';
import type { LogState } from '../log/state.js';
import { openTable } from '../reader/open-table.js';

export interface CompactOptions {
  /** Only say what would be merged. */
  readonly dryRun: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Not possible here: the order of a table is that of its changes. */
  readonly sortBy?: readonly string[] | undefined;
}

/** What the merged files are written like. */
export interface CompactSettings {
  readonly schema: RowSchema;
  readonly files: FileSettings;
}

/** How many files one manifest lists: a few megabytes of text. */
const FILES_A_MANIFEST = 10_000;

/**
 * Compacts all that was committed when it began. Two at a time disturb nobody: one of them is told that it was overtaken.
 *
 * Memory: that of reading the table (see `openTable`) and of writing its files, and a few hundred bytes for each file that is written.
 * @throws EOS_SCHEMA where there is no table; EOS_CONFIG with `visibility: 'listing'`, or with `sortBy`; EOS_UNAVAILABLE, retryable, where another compaction or
 *   two vacuums came in between; EOS_ABORTED
 */
export async function compactTable(
  place: TablePlace,
  settings: CompactSettings,
  { dryRun, signal, sortBy }: CompactOptions,
): Promise<CompactReport> {
  if (sortBy !== undefined)
    throw new EosError(
      'EOS_CONFIG',
      'a table of @eos/s3 is not sorted: its rows lie in the order of their changes',
    );
  const log = openLog(place);
  try {
    await log.refresh();
    const { seq: upTo } = log.state;
    checkTable(log.state, place);
    const before = await measure(place, upTo);
    if (dryRun || before.files <= 1) return { before, after: before, upTo, dryRun };
    const files = await merge(place, settings, upTo, signal);
    const manifests = await putManifests(place, files, upTo);
    await commitBase(log, { upTo, manifests, builtOn: log.state.base?.seq ?? null });
    const sizes = { files: files.length, bytes: sum(files, 'bytes'), rows: sum(files, 'rows') };
    return { before, after: sizes, upTo, dryRun };
  } finally {
    await log.close();
  }
}

function checkTable({ table }: LogState, { store, prefix }: TablePlace): void {
  if (table === undefined)
    throw new EosError('EOS_SCHEMA', `there is no table in ${store.description} ${prefix}`);
  if (table.visibility === 'log') return;
  throw new EosError(
    'EOS_CONFIG',
    `a table with visibility: 'listing' is not compacted: who lists its files would see rows twice while files are replaced`,
    { details: { option: 'visibility' } },
  );
}

async function measure({ store, prefix }: TablePlace, at: bigint): Promise<CompactReport['before']> {
  const table = await openTable(store, prefix, { at });
  let [files, bytes, rows] = [0, 0, 0];
  for await (const file of table.files()) {
    files += 1;
    bytes += file.bytes;
    rows += file.rows;
  }
  return { files, bytes, rows };
}

/** The table's rows as of `upTo`, written anew. Names carry `upTo`, so that the floor of a vacuum covers them as it does a writer's. */
async function merge(
  { store, prefix }: TablePlace,
  { files: settings }: CompactSettings,
  upTo: bigint,
  signal: AbortSignal | undefined,
): Promise<readonly DataFile[]> {
  const table = await openTable(store, prefix, { at: upTo });
  const files = createDataFiles<Record<string, unknown>>(
    { store, prefix, seen: upTo, pending: false },
    { ...settings, schema: table.schema },
  );
  try {
    for await (const rows of table.rows()) {
      if (signal?.aborted === true)
        throw new EosError('EOS_ABORTED', 'compaction was stopped: the table is as it was');
      await files.write({ partition: '', rows });
    }
    return await files.seal();
  } catch (error) {
    await files.abort();
    throw error;
  }
}

async function putManifests(
  { store, prefix }: TablePlace,
  files: readonly DataFile[],
  upTo: bigint,
): Promise<readonly ManifestReference[]> {
  const manifests: ManifestReference[] = [];
  for (let start = 0; start < files.length; start += FILES_A_MANIFEST) {
    const part = files.slice(start, start + FILES_A_MANIFEST);
    const body = Buffer.from(manifestText(part));
    const path = `${EOS_FOLDER}base/${seqText(upTo)}-${randomUUID()}.ndjson`;
    await store.put(prefix + path, body, { condition: { ifAbsent: true } });
    manifests.push({
      path,
      bytes: body.length,
      sha256: createHash('sha256').update(body).digest('hex'),
      files: part.length,
      rows: sum(part, 'rows'),
    });
  }
  return manifests;
}

interface NewBase {
  readonly upTo: bigint;
  readonly manifests: readonly ManifestReference[];
  /** The base that was the newest when this began. */
  readonly builtOn: bigint | null;
}

async function commitBase(log: OpenLog, { upTo, manifests, builtOn }: NewBase): Promise<void> {
  await log.append((state): BaseEntry => {
    if ((state.base?.seq ?? null) !== builtOn) throw overtaken('another compaction was faster');
    if (upTo < state.floor) throw overtaken('vacuum was run twice meanwhile, and may have deleted its files');
    return { kind: 'base', nonce: newNonce(), at: Date.now(), upTo, replacing: builtOn, manifests };
  });
}

function overtaken(reason: string): EosError {
  return new EosError(
    'EOS_UNAVAILABLE',
    `compaction gave up: ${reason}. The table is as it should be; run it again`,
    {
      retryable: true,
    },
  );
}

function sum(files: readonly DataFile[], of: 'bytes' | 'rows'): number {
  return files.reduce((total, file) => total + file[of], 0);
}
