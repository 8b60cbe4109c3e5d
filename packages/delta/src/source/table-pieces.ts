/** The rows of a table and then its changes, version by version, from any change on. */
import { EosError, isEosError, isRetraction, Op, type PartitionId, type RowSchema } from '@eos/core';
import type { FilePlace } from '../files/data-file.js';
import type { AddFile, Commit, Metadata, Version } from '../log/actions.js';
import { parseCommit } from '../log/parse-actions.js';
import { checkReadable } from '../log/protocol.js';
import { readBody, readTable } from '../log/read-table.js';
import { rowCountOf } from '../statistics/file-bounds.js';
import { commitChanges, type ChangedRows } from '../table/commit-changes.js';
import { fileRows } from '../table/file-rows.js';
import { readColumns, type ReadColumn } from '../table/read-columns.js';
import { changed, digestOf, type Start } from './source-identity.js';

/** Some changes of one version. */
export interface Piece extends ChangedRows {
  readonly version: Version;
  /** The number of the first within its version. */
  readonly index: number;
  /** Whether the version has no more. */
  readonly isLast: boolean;
  /** Of the commit. */
  readonly digest: string;
  readonly table: string;
}

export interface Pieces {
  readonly place: FilePlace;
  readonly partition: PartitionId;
  readonly start: Start;
  readonly schema: RowSchema | undefined;
  readonly changelog: 'append' | 'upsert' | 'retract';
  /** Milliseconds between two looks behind the end; undefined: reading ends there. */
  readonly pollMs: number | undefined;
  readonly signal: AbortSignal;
}

const BATCH_ROWS = 4_096;

/** @throws EOS_SOURCE_CHANGED where a version or a file that is needed was deleted; EOS_CONFIG for changes that `changelog` does not have */
export async function* piecesOf(pieces: Pieces): AsyncGenerator<Piece, void> {
  const { place, start } = pieces;
  const isInSnapshot = start.place.version === start.snapshot;
  let { version, index } = start.place;
  let metadata = await metadataAt(pieces, isInSnapshot ? version : version - 1);
  if (isInSnapshot) {
    yield* snapshotPieces(pieces, version, index);
    [version, index] = [version + 1, 0];
  }
  for (; ; version += 1) {
    const body = await nextBody(pieces, version);
    if (body === undefined) return;
    const commit = parseCommit(version, body);
    if (commit.protocol !== undefined || commit.metadata !== undefined) {
      metadata = commit.metadata ?? metadata;
      if (commit.protocol !== undefined && metadata !== undefined) checkReadable(commit.protocol, metadata);
    }
    if (metadata === undefined) continue;
    const facts = { version, digest: digestOf(body), table: metadata.id };
    const columns = columnsOf(metadata, pieces.schema);
    const rows = asSources(commitChanges(place, commit, columns, BATCH_ROWS), pieces, commit);
    yield* numbered(refusedAsChanged(rows, pieces.partition), facts, index);
    index = 0;
  }
}

/** The rows of all files, in the order of their names: that of the log depends on its checkpoints. */
async function* snapshotPieces(pieces: Pieces, version: Version, from: number): AsyncGenerator<Piece> {
  const { place, partition, schema } = pieces;
  const { state, lastBody } = await readTable(place.store, place.place, version).catch((error: unknown) => {
    throw isEosError(error) && !error.retryable
      ? changed(partition, `version ${version} cannot be read any more`, error)
      : error;
  });
  const files = [...(await state.files.current()).adds.values()].sort((left, right) =>
    left.path < right.path ? -1 : 1,
  );
  const body = lastBody ?? (await readBody(place.store, place.place, version));
  const facts = { version, digest: body === undefined ? '' : digestOf(body), table: state.metadata.id };
  const columns = columnsOf(state.metadata, schema);
  let first = 0;
  const needed: AddFile[] = [];
  for (const file of files) {
    const count = (rowCountOf(file.stats) ?? NaN) - (file.deletionVector?.cardinality ?? 0);
    // Passed over without a look, as long as each file in front says how many rows it has.
    if (needed.length === 0 && first + count <= from) first += count;
    else needed.push(file);
  }
  yield* numbered(refusedAsChanged(inserted(place, needed, columns), partition), facts, from, first);
}

async function* inserted(
  place: FilePlace,
  files: readonly AddFile[],
  columns: readonly ReadColumn[],
): AsyncGenerator<ChangedRows> {
  const wanted = { columns, conditions: [], conditioned: [], batchRows: BATCH_ROWS };
  for (const file of files)
    for await (const rows of fileRows(place, file, wanted)) yield { rows, ops: new Uint8Array(rows.length) };
}

/** Leaves out what lies before `from`, and tells the last piece. */
async function* numbered(
  found: AsyncIterable<ChangedRows>,
  facts: Pick<Piece, 'version' | 'digest' | 'table'>,
  from: number,
  start = 0,
): AsyncGenerator<Piece> {
  let index = start;
  let waiting: Omit<Piece, 'isLast'> | undefined;
  for await (const { rows, ops } of found) {
    const skipped = Math.min(rows.length, Math.max(0, from - index));
    const first = index + skipped;
    index += rows.length;
    if (skipped === rows.length) continue;
    if (waiting !== undefined) yield { ...waiting, isLast: false };
    waiting = { ...facts, rows: rows.slice(skipped), ops: ops.subarray(skipped), index: first };
  }
  if (waiting !== undefined) yield { ...waiting, isLast: true };
}

/**
 * An update as a delete and an insert: the feed has all rows as they were before all rows as they are after, and a reader would wait for the other
 * half of each.
 */
async function* asSources(
  found: AsyncIterable<ChangedRows>,
  { changelog }: Pieces,
  { version }: Commit,
): AsyncGenerator<ChangedRows> {
  for await (const { rows, ops } of found) {
    const plain = ops.map((op) => (isRetraction(op) ? Op.delete : Op.insert));
    if (changelog === 'append' && plain.some((op) => op === Op.delete)) {
      const message = `changelog: version ${version} of the table takes rows away, which an append-only source cannot say: set 'retract' or 'upsert'`;
      throw new EosError('EOS_CONFIG', message, { details: { option: 'changelog', version } });
    }
    yield { rows, ops: plain };
  }
}

/** A file that is gone does not come back. */
async function* refusedAsChanged(
  found: AsyncIterable<ChangedRows>,
  partition: PartitionId,
): AsyncGenerator<ChangedRows> {
  try {
    yield* found;
  } catch (error) {
    if (
      isEosError(error, 'EOS_UNAVAILABLE') &&
      typeof (error.details['key'] ?? error.details['path']) === 'string'
    )
      throw changed(partition, error.message, error);
    throw error;
  }
}

/** The commit of a version, once it is there. */
async function nextBody(
  { place: { store, place }, partition, pollMs, signal }: Pieces,
  version: Version,
): Promise<Uint8Array | undefined> {
  for (;;) {
    const body = await readBody(store, place, version);
    if (body !== undefined) return body;
    const { state } = await readTable(store, place);
    if (state.version >= version && (await readBody(store, place, version)) === undefined)
      throw changed(
        partition,
        `version ${version} was cleaned up before it was read: the log keeps too little`,
      );
    if (state.version >= version) continue;
    if (pollMs === undefined || signal.aborted) return undefined;
    // Where reading was stopped meanwhile, one more look ends it.
    await delay(pollMs, signal);
  }
}

async function metadataAt(
  { place: { store, place }, partition }: Pieces,
  version: Version,
): Promise<Metadata | undefined> {
  if (version < 0) return undefined;
  try {
    const { state } = await readTable(store, place, version);
    checkReadable(state.protocol, state.metadata);
    return state.metadata;
  } catch (error) {
    if (isEosError(error) && (error.code === 'EOS_FORMAT' || error.code === 'EOS_CONFIG'))
      throw changed(partition, `version ${version} cannot be read any more`, error);
    throw error;
  }
}

/** The columns of rows, as far as the table has them. */
function columnsOf(metadata: Metadata, schema: RowSchema | undefined): readonly ReadColumn[] {
  if (schema === undefined) return readColumns(metadata);
  const known = new Set(readColumns(metadata).map(({ name }) => name));
  return readColumns(
    metadata,
    schema.names.filter((name) => known.has(name)),
  );
}

async function delay(milliseconds: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done);
  });
}
