/** Records as they are: bytes in, bytes out. */
import { EosError, Op, rowError, shownValue, type ChangeBatch, type RowOrigin } from '@eos/core';
import { decodeHeaders, encodeHeaders, type Header } from '../client/headers.js';
import { bytesAt, bytesColumn, type LogRecords } from '../client/records.js';
import { appendPlanner } from './change-records.js';
import type { EncodedRecords, RecordDecoder, RecordFormat, RecordPlace } from './format.js';
import { decodeEach, placeOf } from './records-read.js';

/** A record to write. Texts are written as UTF-8; a value that is null is a tombstone to a compacted topic. */
export interface RecordInput {
  readonly key?: Uint8Array | string | null | undefined;
  readonly value: Uint8Array | string | null;
  readonly headers?: Readonly<Record<string, Uint8Array | string>> | readonly Header[] | undefined;
}

/** A record as read. Its bytes are views that stay valid as long as they are held. */
export interface RecordOutput {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** In their order; a name may come more than once. */
  readonly headers: readonly Header[];
  /** Milliseconds since 1970. */
  readonly timestamp: number;
}

/**
 * Records as they are: for programs that encode and decode by themselves, and to copy topics. Every record is an insert, also one
 * without a value.
 */
export function bytes(): RecordFormat<RecordInput, RecordOutput> {
  const planner = appendPlanner<RecordInput>();
  return {
    name: 'bytes',
    changelog: 'append',
    encoder: () => () => ({ encode: (batch) => encode(planner.plan(batch)), finish: () => undefined }),
    decoder,
  };
}

function encode(batch: RowOrigin & Pick<ChangeBatch<RecordInput>, 'rows'>): EncodedRecords<RecordInput> {
  const { rows } = batch;
  rows.forEach((row, index) => checkRow(row, index, batch));
  const hasHeaders = rows.some((row) => row.headers !== undefined);
  return {
    rows,
    records: {
      count: rows.length,
      keys: bytesColumn(rows.map((row) => row.key ?? null)),
      values: bytesColumn(rows.map((row) => row.value)),
      ...(hasHeaders ? { headers: bytesColumn(rows.map((row) => headersOf(row.headers))) } : {}),
    },
  };
}

/** A program in JavaScript may hand in anything. */
function checkRow(row: unknown, index: number, origin: RowOrigin): void {
  if (typeof row !== 'object' || row === null)
    throw rowError(origin, index, `${shownValue(row)} is no { key, value }`);
  const { key, value }: { key?: unknown; value?: unknown } = row;
  if (value !== null && !isBytes(value)) {
    throw rowError(origin, index, `value: ${shownValue(value)} is neither bytes nor text nor null`, 'value');
  }
  if (key !== undefined && key !== null && !isBytes(key)) {
    throw rowError(origin, index, `key: ${shownValue(key)} is neither bytes nor text nor null`, 'key');
  }
}

function isBytes(value: unknown): boolean {
  return typeof value === 'string' || value instanceof Uint8Array;
}

const NO_HEADERS = encodeHeaders([]);

function headersOf(headers: RecordInput['headers']): Buffer {
  if (headers === undefined) return NO_HEADERS;
  if (isList(headers)) return encodeHeaders(headers);
  return encodeHeaders(
    Object.entries(headers).map(([name, value]): Header => [
      name,
      typeof value === 'string' ? Buffer.from(value) : value,
    ]),
  );
}

function isList(headers: NonNullable<RecordInput['headers']>): headers is readonly Header[] {
  return Array.isArray(headers);
}

function decoder(at: RecordPlace): RecordDecoder<RecordOutput> {
  const place = placeOf(at);
  return {
    decode: (batch, from, to, target) =>
      decodeEach(batch, from, to, place, (records, index) =>
        target.add(recordAt(records, index, at, place.offset), Op.insert, index),
      ),
  };
}

/** One record as an object. @throws EOS_SOURCE_FORMAT where its headers are damaged */
export function recordAt(records: LogRecords, index: number, at: RecordPlace, offset: number): RecordOutput {
  return {
    key: bytesAt(records.keys, index),
    value: bytesAt(records.values, index),
    headers: headersAt(records, index, at, offset),
    timestamp: records.timestamps[index] ?? 0,
  };
}

const NONE: readonly Header[] = [];

function headersAt(
  { headers }: LogRecords,
  index: number,
  at: RecordPlace,
  offset: number,
): readonly Header[] {
  const found = bytesAt(headers, index);
  // One byte that says that there are none.
  if (found === null || found.length <= 1) return NONE;
  try {
    return decodeHeaders(found);
  } catch (cause) {
    const message = `partition ${at.name}, offset ${offset}: the headers of the record are damaged`;
    throw new EosError('EOS_SOURCE_FORMAT', message, {
      cause,
      details: { partition: at.name, offset: BigInt(offset) },
    });
  }
}
