/** A batch of changes to a multiset, after what comes and what goes have cancelled. */
import { isEosError, isRetraction, type ChangeBatch } from '@eos/core';
import type { Places, Retractions } from './retractions.js';
import type { AddRow, RowRange } from '../copy/row-sender.js';
import { placedIn } from '../copy/sent-rows.js';

/** The rows that come. */
export interface ComingRows<Row> {
  readonly rows: RowRange<Row>;
  /** Adds one of them: its line was made already. */
  readonly add: AddRow<Row>;
}

/**
 * Adds the rows that go to `going`, and takes out of it what comes, in whatever order the batch has them.
 * @throws EOS_ROW with partition, offset and column
 */
export function cancelled<Row>(
  batch: ChangeBatch<Row>,
  lineOf: (row: Row) => string,
  going: Retractions,
  partitions: Places,
): ComingRows<Row> {
  const { rows, ops, offsets, partition } = batch;
  const place = partitions.numberOf(partition);
  const isGoing = (index: number) => isRetraction(ops?.[index] ?? 0);
  const line = (index: number) => {
    try {
      // The index lies within the batch.
      return lineOf(rows[index] as Row);
    } catch (error) {
      throw isEosError(error) ? placedIn(error, batch, index) : error;
    }
  };
  for (let index = 0; index < rows.length; index += 1) {
    if (isGoing(index)) going.add(line(index), place, offsets?.[index]);
  }
  const lines = new Array<string>(rows.length).fill('');
  const coming = new Uint32Array(rows.length);
  let count = 0;
  for (let index = 0; index < rows.length; index += 1) {
    if (isGoing(index)) continue;
    const text = line(index);
    if (going.cancel(text)) continue;
    lines[index] = text;
    coming[count] = index;
    count += 1;
  }
  const add: AddRow<Row> = (buffer, _row, index) => buffer.add(lines[index] ?? '');
  return { rows: { batch, places: coming.subarray(0, count) }, add };
}

/** Whether nothing goes. */
export function hasInsertsOnly<Row>({ ops }: ChangeBatch<Row>): boolean {
  return ops?.every((op) => !isRetraction(op)) ?? true;
}
