/**
 * The changes of one version, in an order that is always the same: from files of the change data feed where the commit has such, else from
 * what it added and removed.
 * https://github.com/delta-io/delta/blob/master/PROTOCOL.md#change-data-files
 */
import { EosError, Op } from '@eos/core';
import { RowSet } from '../deletion-vectors/row-set.js';
import { readVector } from '../deletion-vectors/vector-file.js';
import type { FilePlace } from '../files/data-file.js';
import type { AddFile, Commit, DeletionVector, RemoveFile } from '../log/actions.js';
import { dataKey } from '../log/paths.js';
import { CHANGE_TYPE } from '../merge/change-feed.js';
import { fileRows, type ReadableFile, type RowsOf, type TableRow } from './file-rows.js';
import type { ReadColumn } from './read-columns.js';

export interface ChangedRows {
  readonly rows: readonly TableRow[];
  /** One a row. */
  readonly ops: Uint8Array;
}

/** @throws EOS_UNAVAILABLE where a file is gone, EOS_SOURCE_FORMAT where it is damaged */
export async function* commitChanges(
  place: FilePlace,
  commit: Commit,
  columns: readonly ReadColumn[],
  batchRows: number,
): AsyncGenerator<ChangedRows> {
  const wanted = { columns, conditions: [], conditioned: [], batchRows };
  if (commit.changeFiles.length > 0) {
    for (const file of commit.changeFiles) yield* feedRows(place, file, wanted);
    return;
  }
  const removes = commit.removes.filter(({ dataChange }) => dataChange);
  const adds = new Map(commit.adds.filter(({ dataChange }) => dataChange).map((add) => [add.path, add]));
  for (const remove of removes) {
    const add = adds.get(remove.path);
    const left = add && (await rowsOfVector(place, add.deletionVector));
    if (left?.size !== 0)
      yield* withOp(place, await removedFile(place, remove), { ...wanted, only: left }, Op.delete);
  }
  const before = new Map(removes.map((remove) => [remove.path, remove]));
  for (const add of adds.values()) {
    const remove = before.get(add.path);
    const back = remove && (await rowsOfVector(place, remove.deletionVector));
    if (back?.size !== 0) yield* withOp(place, add, { ...wanted, only: back }, Op.insert);
  }
}

/** Where a file changes its deletion vector, rows that only one of the two deletes have changed. */
async function rowsOfVector(
  { store, place }: FilePlace,
  vector: DeletionVector | undefined,
): Promise<RowSet> {
  return vector === undefined ? new RowSet() : await readVector(store, place, vector);
}

async function* withOp(
  place: FilePlace,
  file: ReadableFile,
  wanted: RowsOf,
  op: Op,
): AsyncGenerator<ChangedRows> {
  for await (const rows of fileRows(place, file, wanted))
    yield { rows, ops: new Uint8Array(rows.length).fill(op) };
}

async function removedFile({ store, place }: FilePlace, remove: RemoveFile): Promise<ReadableFile> {
  const { path, partitionValues = {}, deletionVector } = remove;
  const size = remove.size ?? (await store.head(dataKey(place, path)))?.bytes;
  if (size === undefined) {
    const message = `the table removed ${path}, which is not there any more: a VACUUM has deleted it. Read changes within its retention`;
    throw new EosError('EOS_UNAVAILABLE', message, { details: { path } });
  }
  return { path, partitionValues, size, ...(deletionVector === undefined ? {} : { deletionVector }) };
}

const OPS: ReadonlyMap<unknown, Op> = new Map<unknown, Op>([
  ['insert', Op.insert],
  ['update_preimage', Op.updateBefore],
  ['update_postimage', Op.updateAfter],
  ['delete', Op.delete],
]);

const TYPE_COLUMN: ReadColumn = {
  name: CHANGE_TYPE,
  field: { name: CHANGE_TYPE, type: { kind: 'string' }, isNullable: true, metadata: {} },
  physical: CHANGE_TYPE,
  partition: undefined,
  convert: undefined,
};

async function* feedRows(
  place: FilePlace,
  file: Pick<AddFile, 'path' | 'size' | 'partitionValues'>,
  wanted: RowsOf,
): AsyncGenerator<ChangedRows> {
  const columns = [...wanted.columns, TYPE_COLUMN];
  for await (const found of fileRows(place, file, { ...wanted, columns })) {
    const ops = Uint8Array.from(found, (row) => opOf(row[CHANGE_TYPE], file.path));
    const rows = found.map(withoutType);
    yield { rows, ops };
  }
}

function withoutType(row: TableRow): TableRow {
  return Object.fromEntries(Object.entries(row).filter(([name]) => name !== CHANGE_TYPE));
}

function opOf(type: unknown, path: string): Op {
  const op = OPS.get(type);
  if (op !== undefined) return op;
  throw new EosError('EOS_SOURCE_FORMAT', `${path} has a change of the type ${String(type).slice(0, 40)}`, {
    details: { path },
  });
}
