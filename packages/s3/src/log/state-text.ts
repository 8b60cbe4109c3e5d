/** The text of a checkpoint: the state of the log behind one entry. A function of the log alone, whoever writes it. */
import { canonicalText, parsePosition, type CanonicalValue, type PartitionId } from '@eos/core';
import { LOG_FORMAT } from './entry.js';
import { baseValue, checkLogFormat, readBase, readTable, tableValue } from './entry-text.js';
import {
  bigInteger,
  bigIntegerOf,
  bigIntegerOrNull,
  count,
  fieldsOf,
  list,
  members,
  parseFields,
  text,
  texts,
  type Fields,
} from './fields.js';
import { emptyState, type LogState, type PendingCommit, type StoredRecord } from './state.js';

export function stateText(state: LogState): string {
  const { seq, nonce, table, floor, floorSeq, base, records, pending, voids } = state;
  return canonicalText({
    format: LOG_FORMAT,
    seq,
    nonce,
    table: table === undefined ? null : tableValue(table),
    floor,
    floorSeq,
    base: base === null ? null : { seq: base.seq, ...baseValue({ ...base, replacing: null }) },
    records: Object.fromEntries([...records].map(([scope, of]) => [scope, recordsValue(of)])),
    pending: [...pending].map(([owner, commit]) => ({ owner, ...commit })),
    voids: [...voids],
  });
}

function recordsValue(records: ReadonlyMap<PartitionId, StoredRecord>): CanonicalValue {
  return Object.fromEntries(
    [...records].map(([partition, { position, committedAt }]) => [
      partition,
      { position: { ...position }, committedAt },
    ]),
  );
}

/**
 * Reads {@link stateText} back.
 * @throws EOS_FORMAT
 */
export function parseState(body: string, from: string): LogState {
  const fields = parseFields(body, from);
  checkLogFormat(fields);
  const { table, base, floorSeq } = fields.values;
  return {
    ...emptyState(),
    seq: bigInteger(fields, 'seq'),
    nonce: text(fields, 'nonce'),
    table: table === null ? undefined : readTable(fields),
    floor: bigInteger(fields, 'floor'),
    floorSeq: bigIntegerOrNull(floorSeq, from, 'floorSeq'),
    base: base === null ? null : baseOf(fieldsOf(base, from)),
    records: new Map(
      members(fields, 'records').map(([scope]) => [
        scope,
        readRecords(fieldsOf(fields.values['records'], from), scope),
      ]),
    ),
    pending: new Map(list(fields, 'pending').map((commit) => readPending(fieldsOf(commit, from)))),
    voids: new Set(list(fields, 'voids').map((seq) => bigIntegerOf(seq, from, 'voids'))),
  };
}

function baseOf(fields: Fields): LogState['base'] {
  const { upTo, manifests } = readBase(fields);
  return { seq: bigInteger(fields, 'seq'), upTo, manifests };
}

function readRecords(fields: Fields, scope: string): Map<PartitionId, StoredRecord> {
  return new Map(
    members(fields, scope).map(([partition, value]): [PartitionId, StoredRecord] => {
      const record = fieldsOf(value, fields.from);
      const position = parsePosition(JSON.stringify(record.values['position']));
      const committedAt = record.values['committedAt'];
      return [
        partition,
        { position, ...(committedAt === undefined ? {} : { committedAt: count(record, 'committedAt') }) },
      ];
    }),
  );
}

function readPending(fields: Fields): [bigint, PendingCommit] {
  const commit = {
    seq: bigInteger(fields, 'seq'),
    scope: text(fields, 'scope'),
    partitions: texts(fields, 'partitions'),
  };
  return [bigInteger(fields, 'owner'), commit];
}
