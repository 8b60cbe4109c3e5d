/** Walking over the records of a batch. */
import { isEosError, type Place } from '@eos/core';
import type { BytesColumn, LogBatch, LogRecords } from '../client/records.js';
import type { PoisonRecord, RecordPlace } from './format.js';

/** The place that errors of core's readers name. */
export function placeOf({ name }: RecordPlace): Place {
  return { partition: name, offset: 0 };
}

/**
 * Calls `read` for each record, with `place.offset` at its offset, and stops at the first that it throws EOS_SOURCE_FORMAT for.
 * `read` adds rows as its last step, so that none of a record that it refuses is added.
 */
export function decodeEach(
  batch: LogBatch,
  from: number,
  to: number,
  place: Place,
  read: (records: LogRecords, index: number) => void,
): PoisonRecord | undefined {
  const { records } = batch;
  const base = Number(batch.baseOffset);
  let index = from;
  try {
    for (; index < to; index++) {
      place.offset = base + (records.offsetDeltas[index] ?? 0);
      read(records, index);
    }
  } catch (error) {
    if (isEosError(error, 'EOS_SOURCE_FORMAT')) return { index, error };
    throw error;
  }
  return undefined;
}

/** A value as text; undefined where it is null. */
export function textAt({ bytes, starts, ends, nulls }: BytesColumn, index: number): string | undefined {
  if (nulls !== undefined && nulls[index] === 1) return undefined;
  return bytes.toString('utf8', starts[index], ends[index]);
}
