/** Records written and read back, without a broker. */
import { Op, type ChangeBatch } from '@eos/core';
import { bytesAt, bytesColumn, type LogBatch, type RecordColumns } from '../client/records.js';
import { encodeHeaders } from '../client/headers.js';
import type { EncodedRecords, PoisonRecord, ReadableFormat, RecordFormat } from './format.js';

export const CONTEXT = { pipeline: 'orders', sink: 'kafka' };
export const PLACE = { topic: 'orders', partition: 3, name: 'orders/3' };

export const { insert: I, updateBefore: UB, updateAfter: UA, delete: D } = Op;

export function batchOf<Row>(rows: readonly Row[], ops?: readonly number[], from = 100n): ChangeBatch<Row> {
  return {
    rows,
    partition: 'flights.ndjson',
    offsets: BigInt64Array.from(rows, (_, index) => from + BigInt(index)),
    ...(ops === undefined ? {} : { ops: Uint8Array.from(ops) }),
  };
}

/** The records of some batches that are one transaction, each as [key, value] in text. */
export async function written<In>(
  format: RecordFormat<In>,
  batches: readonly ChangeBatch<In>[],
): Promise<{ readonly texts: (readonly [string | null, string | null])[]; readonly parts: RecordColumns[] }> {
  const encoder = format.encoder?.(CONTEXT)();
  if (encoder === undefined) throw new Error(`${format.name} cannot be written`);
  const made: EncodedRecords<In>[] = [];
  for (const batch of batches) made.push(await encoder.encode(batch));
  const rest = await encoder.finish();
  if (rest !== undefined) made.push(rest);
  const parts = made.map(({ records }) => records);
  return { parts, texts: parts.flatMap(textsOf) };
}

function textsOf({ count, keys, values }: RecordColumns): (readonly [string | null, string | null])[] {
  return Array.from({ length: count }, (_, index) => [
    keys === undefined ? null : (bytesAt(keys, index)?.toString() ?? null),
    bytesAt(values, index)?.toString() ?? null,
  ]);
}

/** What a log would hold of records: offset `baseOffset + index`. */
export function logBatch(records: RecordColumns, baseOffset = 0n): LogBatch {
  const { count, keys, values, headers } = records;
  const all = <T>(value: T) => Array.from({ length: count }, () => value);
  return {
    baseOffset,
    lastOffset: baseOffset + BigInt(count - 1),
    leaderEpoch: 0,
    producerId: -1n,
    producerEpoch: -1,
    isTransactional: false,
    control: undefined,
    size: 1000,
    records: {
      count,
      keys: keys ?? bytesColumn(all(null)),
      values,
      headers: headers ?? bytesColumn(all(encodeHeaders([]))),
      offsetDeltas: Int32Array.from(all(0), (_, index) => index),
      timestamps: Float64Array.from(all(1234)),
    },
  };
}

/** Records given as [key, value] in text. */
export function logOf(records: readonly (readonly [string | null, string | null])[]): LogBatch {
  const keys = bytesColumn(records.map(([key]) => key));
  const values = bytesColumn(records.map(([, value]) => value));
  return logBatch({ count: records.length, keys, values });
}

/** Reads a batch; with `skip`, on behind each record that cannot be read. */
export async function read<Out>(format: ReadableFormat<Out>, batch: LogBatch, skip = false) {
  const decoder = format.decoder?.(PLACE);
  if (decoder === undefined) throw new Error(`${format.name} cannot be read`);
  const rows: Out[] = [];
  const ops: number[] = [];
  const indexes: number[] = [];
  const poison: PoisonRecord[] = [];
  const add = (row: Out, op: number, index: number) => {
    rows.push(row);
    ops.push(op);
    indexes.push(index);
  };
  for (let from = 0; from < batch.records.count;) {
    const found = await decoder.decode(batch, from, batch.records.count, { add });
    if (found === undefined) break;
    if (!skip) throw found.error;
    poison.push(found);
    from = found.index + 1;
  }
  return { rows, ops, indexes, poison };
}
