/**
 * Folds a prefix of the log into a base: its small files are merged, deletes are applied, and the result is a list of files that stands for
 * all entries up to one. Positions and entries above it stay as they are, so that writers notice nothing; what was replaced is deleted by vacuum.
 */
import { createHash, randomUUID } from 'node:crypto';
import { EosError, type CompactReport } from '@eos/core';
import type { DataFile } from '../files/data-files.js';
import type { BaseEntry, ManifestReference } from '../log/entry.js';
import { openLog, type OpenLog, type TablePlace } from '../log/index.js';
import { EOS_FOLDER, seqText } from '../log/keys.js';
import { manifestText } from '../log/manifest.js';
import { newNonce } from '../log/nonce.js';
import type { LogState } from '../log/state.js';
import { openTable, type S3Table } from '../reader/open-table.js';
import { mergedFiles, type CompactSettings } from './merge.js';

export interface CompactOptions {
  /** Only say what would be merged. */
  readonly dryRun: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Not possible here: the order of a table is that of its changes. */
  readonly sortBy?: readonly string[] | undefined;
}

/** How many files one manifest lists: a few megabytes of text. */
const FILES_A_MANIFEST = 10_000;

/**
 * Compacts all that was committed when it began. Two at a time disturb nobody: one of them is told that it was overtaken.
 *
 * Memory: that of reading the table (see `openTable`) and of writing its files, and what the log says of 20,000 files at most.
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
    const table = await openTable(place.store, place.prefix, { at: upTo });
    const { isDone, ...before } = await measure(table, log.state);
    if (dryRun || isDone) return { before, after: before, upTo, dryRun };
    const after = { files: 0, bytes: 0, rows: 0 };
    const files = counted(mergedFiles({ place, settings, table, signal }), after);
    const manifests = await putManifests(place, files, upTo);
    await commitBase(log, { upTo, manifests, builtOn: log.state.base?.seq ?? null });
    return { before, after, upTo, dryRun };
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

type Sizes = { -readonly [name in keyof CompactReport['before']]: number };

/** `isDone`: nothing was committed behind the newest base, or nothing that could become less. */
async function measure(
  table: S3Table,
  { base }: LogState,
): Promise<CompactReport['before'] & { readonly isDone: boolean }> {
  const sizes = { files: 0, bytes: 0, rows: 0 };
  let isBased = true;
  for await (const { seq } of counted(table.files(), sizes)) isBased &&= base !== null && seq <= base.upTo;
  return { ...sizes, isDone: isBased || (table.mode === 'append' && sizes.files <= 1) };
}

async function* counted<File extends DataFile>(
  files: AsyncIterable<File>,
  sizes: Sizes,
): AsyncGenerator<File> {
  for await (const file of files) {
    sizes.files += 1;
    sizes.bytes += file.bytes;
    sizes.rows += file.rows;
    yield file;
  }
}

async function putManifests(
  { store, prefix }: TablePlace,
  files: AsyncIterable<DataFile>,
  upTo: bigint,
): Promise<readonly ManifestReference[]> {
  const manifests: ManifestReference[] = [];
  let part: DataFile[] = [];
  const put = async () => {
    const body = Buffer.from(manifestText(part));
    const path = `${EOS_FOLDER}base/${seqText(upTo)}-${randomUUID()}.ndjson`;
    await store.put(prefix + path, body, { condition: { ifAbsent: true } });
    const sha256 = createHash('sha256').update(body).digest('hex');
    manifests.push({ path, bytes: body.length, sha256, files: part.length, rows: sum(part, 'rows') });
    part = [];
  };
  for await (const file of files) if (part.push(file) >= FILES_A_MANIFEST) await put();
  if (part.length > 0) await put();
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

function sum(files: readonly DataFile[], of: 'rows'): number {
  return files.reduce((total, file) => total + file[of], 0);
}
