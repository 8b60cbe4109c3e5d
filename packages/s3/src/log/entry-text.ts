/** The text of an entry: canonical JSON, so that equal entries have equal bytes in every version. */
import {
  canonicalText,
  parsePosition,
  type CanonicalValue,
  type PartitionId,
  type Position,
} from '@eos/core';
import {
  LOG_FORMAT,
  type BaseEntry,
  type ClaimEntry,
  type CommitEntry,
  type LogEntry,
  type ManifestReference,
  type TableColumn,
  type TableDescription,
} from './entry.js';
import {
  bigInteger,
  bigIntegerOf,
  bigIntegerOrNull,
  count,
  fieldsOf,
  list,
  malformed,
  members,
  oneOf,
  parseFields,
  text,
  texts,
  type Fields,
} from './fields.js';
import { fileValue, readFile } from './file-text.js';

export function entryText(entry: LogEntry): string {
  return canonicalText({ format: LOG_FORMAT, ...entryValue(entry) });
}

function entryValue(entry: LogEntry): { readonly [key: string]: CanonicalValue } {
  const { kind, nonce, at } = entry;
  const head = { kind, nonce, at };
  switch (entry.kind) {
    case 'table':
      return { ...head, table: tableValue(entry.table) };
    case 'claim': {
      const { pipeline, sink, owner, replacing, revoking } = entry;
      return {
        ...head,
        pipeline,
        sink,
        owner,
        replacing: Object.fromEntries(replacing),
        revoking: revoking.map(({ seq, positions }) => ({ seq, positions: positionsValue(positions) })),
      };
    }
    case 'commit':
      return { ...head, ...commitValue(entry) };
    case 'floor':
      return { ...head, floor: entry.floor };
    case 'base':
      return { ...head, ...baseValue(entry) };
  }
}

function commitValue(entry: CommitEntry): { readonly [key: string]: CanonicalValue } {
  const { pipeline, sink, owner, txId, seen, positions, from, files } = entry;
  return {
    pipeline,
    sink,
    owner,
    txId,
    seen,
    positions: positionsValue(positions),
    from: Object.fromEntries(from),
    files: files.map(fileValue),
  };
}

/** For `canonicalText`: also of checkpoints. */
export function positionsValue(positions: ReadonlyMap<PartitionId, Position>): CanonicalValue {
  return Object.fromEntries([...positions].map(([name, position]) => [name, { ...position }]));
}

/** For `canonicalText`: also of checkpoints. */
export function tableValue({ target, mode, key, visibility, columns }: TableDescription): CanonicalValue {
  return { target, mode, key, visibility, columns: columns.map(({ name, type }) => ({ name, type })) };
}

/** For `canonicalText`: also of checkpoints. */
export function baseValue({
  upTo,
  replacing,
  manifests,
}: Pick<BaseEntry, 'upTo' | 'replacing' | 'manifests'>): {
  readonly [key: string]: CanonicalValue;
} {
  return { upTo, replacing, manifests: manifests.map((manifest) => ({ ...manifest })) };
}

/**
 * Reads {@link entryText} back.
 * @param from what to call the object in a message: its key
 * @throws EOS_FORMAT where it is no entry, or of a version that this one does not know
 */
export function parseEntry(body: string, from: string): LogEntry {
  const fields = parseFields(body, from);
  checkLogFormat(fields);
  const head = { nonce: text(fields, 'nonce'), at: count(fields, 'at') };
  const kind = oneOf(fields, 'kind', ['table', 'claim', 'commit', 'floor', 'base']);
  switch (kind) {
    case 'table':
      return { kind, ...head, table: readTable(fields) };
    case 'claim':
      return { kind, ...head, ...readClaim(fields) };
    case 'commit':
      return { kind, ...head, ...readCommit(fields) };
    case 'floor':
      return { kind, ...head, floor: bigInteger(fields, 'floor') };
    case 'base':
      return { kind, ...head, ...readBase(fields) };
  }
}

/** @throws EOS_FORMAT for another version of the log */
export function checkLogFormat(fields: Fields): void {
  const { format } = fields.values;
  if (format === LOG_FORMAT) return;
  const newer = typeof format === 'number' && format > LOG_FORMAT;
  throw malformed(
    fields.from,
    newer
      ? `has format ${format}, and this version of Eos knows ${LOG_FORMAT}: upgrade`
      : 'is no entry of a log of Eos',
  );
}

/** The member `table`. */
export function readTable(fields: Fields): TableDescription {
  const table = fieldsOf(fields.values['table'], fields.from);
  return {
    target: text(table, 'target'),
    mode: oneOf(table, 'mode', ['append', 'upsert']),
    key: texts(table, 'key'),
    visibility: oneOf(table, 'visibility', ['log', 'listing']),
    columns: list(table, 'columns').map((column): TableColumn => {
      const one = fieldsOf(column, fields.from);
      return { name: text(one, 'name'), type: text(one, 'type') };
    }),
  };
}

function readClaim(fields: Fields): Omit<ClaimEntry, 'kind' | 'nonce' | 'at'> {
  return {
    pipeline: text(fields, 'pipeline'),
    sink: text(fields, 'sink'),
    owner: bigInteger(fields, 'owner'),
    replacing: integersOrNull(fields, 'replacing'),
    revoking: list(fields, 'revoking').map((revocation) => {
      const one = fieldsOf(revocation, fields.from);
      return { seq: bigInteger(one, 'seq'), positions: readPositions(one, 'positions') };
    }),
  };
}

function readCommit(fields: Fields): Omit<CommitEntry, 'kind' | 'nonce' | 'at'> {
  return {
    pipeline: text(fields, 'pipeline'),
    sink: text(fields, 'sink'),
    owner: bigInteger(fields, 'owner'),
    txId: bigInteger(fields, 'txId'),
    seen: bigInteger(fields, 'seen'),
    positions: readPositions(fields, 'positions'),
    from: integersOrNull(fields, 'from'),
    files: list(fields, 'files').map((file) => readFile(file, fields.from)),
  };
}

export function readPositions(fields: Fields, name: string): ReadonlyMap<PartitionId, Position> {
  return new Map(
    members(fields, name).map(([partition, value]) => [partition, parsePosition(JSON.stringify(value))]),
  );
}

function integersOrNull(fields: Fields, name: string): ReadonlyMap<PartitionId, bigint | null> {
  return new Map(
    members(fields, name).map(([partition, value]) => [
      partition,
      bigIntegerOrNull(value, fields.from, name),
    ]),
  );
}

export function readBase(fields: Fields): Pick<BaseEntry, 'upTo' | 'replacing' | 'manifests'> {
  return {
    upTo: bigIntegerOf(fields.values['upTo'], fields.from, 'upTo'),
    replacing: bigIntegerOrNull(fields.values['replacing'], fields.from, 'replacing'),
    manifests: list(fields, 'manifests').map((manifest) => readManifest(fieldsOf(manifest, fields.from))),
  };
}

function readManifest(fields: Fields): ManifestReference {
  return {
    path: text(fields, 'path'),
    bytes: count(fields, 'bytes'),
    sha256: text(fields, 'sha256'),
    files: count(fields, 'files'),
    rows: count(fields, 'rows'),
  };
}
