/** Positions as `txn` actions, and back. */
import {
  EosError,
  type Owner,
  type PartitionId,
  type Position,
  type Positions,
  type SinkContext,
} from '@eos/core';
import type { Transaction } from '../log/actions.js';
import { applicationId, partitionsIn, type FieldName } from './application-ids.js';
import { digestOf, pieceCount, sourceNumbers, sourceOf } from './source-text.js';

/** Bits of `has`. A field that is not there any more keeps its last number in the table: nothing takes a `txn` away. */
const HAS = { commit: 1n, watermark: 2n, readTo: 4n, plan: 8n } as const;

/** The newest version of each application, as a snapshot has them. */
export type Applications = ReadonlyMap<string, Transaction>;

/**
 * The record of a partition; undefined where there is none.
 * @param tableId the id in the table's metadata, which is the target
 * @throws EOS_FORMAT where a part of it is missing or damaged
 */
export function readRecord(
  applications: Applications,
  context: SinkContext,
  partition: PartitionId,
  tableId: string,
): Position | undefined {
  const record = new RecordReader(applications, context, partition);
  const owner = record.find('owner');
  if (owner === undefined) return undefined;
  const has = record.number('has');
  const optional = (name: 'watermark' | 'readTo' | 'plan') =>
    (has & HAS[name]) === 0n ? {} : { [name]: record.number(name) };
  const base = { epoch: record.number('epoch'), owner, target: record.target(tableId) };
  if ((has & HAS.commit) === 0n) return { ...base, offset: null, txId: null, source: null };
  return {
    ...base,
    offset: record.number('offset'),
    txId: record.number('txId'),
    source: record.source(),
    ...optional('watermark'),
    ...optional('readTo'),
    ...optional('plan'),
  };
}

/** Epoch and owner alone: what a commit compares. */
export function readOwnership(
  applications: Applications,
  context: SinkContext,
  partition: PartitionId,
): { readonly epoch: bigint; readonly owner: Owner } | undefined {
  const record = new RecordReader(applications, context, partition);
  const owner = record.find('owner');
  return owner === undefined ? undefined : { epoch: record.number('epoch'), owner };
}

/** The transaction that wrote the record last; undefined where there is none. */
export function readTxId(
  applications: Applications,
  context: SinkContext,
  partition: PartitionId,
): bigint | undefined {
  return applications.get(applicationId(context, partition, 'txId'))?.version;
}

/** When the record was last committed, by the clock of its writer. */
export function committedAt(
  applications: Applications,
  context: SinkContext,
  partition: PartitionId,
): Date | undefined {
  const updated = applications.get(applicationId(context, partition, 'txId'))?.lastUpdated;
  return updated === undefined ? undefined : new Date(updated);
}

/** Every record of a (pipeline, sink), or those of `partitions`. Throws as {@link readRecord} does. */
export function readRecords(
  applications: Applications,
  context: SinkContext,
  tableId: string,
  partitions: readonly PartitionId[] = partitionsIn(applications.keys(), context),
): Positions {
  const records = new Map<PartitionId, Position>();
  for (const partition of partitions) {
    const position = readRecord(applications, context, partition, tableId);
    if (position !== undefined) records.set(partition, position);
  }
  return records;
}

/**
 * The actions that store a position on top of what the table has: only what differs is written, so that a source whose identity stays
 * the same costs nothing.
 * @param now for people, and for tables that drop what was not updated for long: in milliseconds
 */
export function recordActions(
  applications: Applications,
  context: SinkContext,
  partition: PartitionId,
  position: Position,
  now: number,
): readonly Transaction[] {
  return fieldsOf(position).flatMap(([field, version]) => {
    const appId = applicationId(context, partition, field);
    return applications.get(appId)?.version === version ? [] : [{ appId, version, lastUpdated: now }];
  });
}

function fieldsOf(position: Position): readonly (readonly [FieldName, bigint])[] {
  const { epoch, owner, target, offset, txId, source, watermark, readTo, plan } = position;
  const fields: (readonly [FieldName, bigint])[] = [
    ['epoch', epoch],
    ['owner', owner],
    ['target', digestOf(target)],
  ];
  let has = 0n;
  if (offset !== null && txId !== null && source !== null) {
    has |= HAS.commit;
    fields.push(['offset', offset], ['txId', txId], ...sourceFields(source));
  }
  for (const [name, value] of [
    ['watermark', watermark],
    ['readTo', readTo],
    ['plan', plan],
  ] as const) {
    if (value === undefined) continue;
    has |= HAS[name];
    fields.push([name, value]);
  }
  return [...fields, ['has', has]];
}

function sourceFields(source: NonNullable<Position['source']>): readonly (readonly [FieldName, bigint])[] {
  const { digest, bytes, pieces } = sourceNumbers(source);
  return [
    ['source', digest],
    ['source.bytes', BigInt(bytes)],
    ...pieces.map((piece, index) => [`source.${index}`, piece] as const),
  ];
}

class RecordReader {
  constructor(
    private readonly applications: Applications,
    private readonly context: SinkContext,
    private readonly partition: PartitionId,
  ) {}

  find(field: FieldName): bigint | undefined {
    return this.applications.get(applicationId(this.context, this.partition, field))?.version;
  }

  number(field: FieldName): bigint {
    return this.find(field) ?? this.damaged(field);
  }

  /** The id of the table where the record belongs to it, else a text that is no id. */
  target(tableId: string): string {
    const digest = this.number('target');
    return digest === digestOf(tableId) ? tableId : `table of digest ${digest}`;
  }

  source(): NonNullable<Position['source']> {
    const bytes = Number(this.number('source.bytes'));
    const pieces = Array.from({ length: pieceCount(bytes) }, (_, index) => this.number(`source.${index}`));
    return sourceOf({ digest: this.number('source'), bytes, pieces }) ?? this.damaged('source');
  }

  private damaged(field: FieldName): never {
    const appId = applicationId(this.context, this.partition, field);
    throw new EosError(
      'EOS_FORMAT',
      `the position of partition ${this.partition} is damaged: the txn ${appId} is missing, or is not what was written. ` +
        'Was a part of the log dropped (delta.setTransactionRetentionDuration)?',
      { details: { partition: this.partition, appId } },
    );
  }
}
