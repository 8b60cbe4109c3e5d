/** The rows of a transaction that may have to be written again, numbered in the order in which they came. */
import type { ChangeBatch } from '@eos/core';
import type { Range } from './bisect.js';

export interface KeptRows<Row> {
  /** How many rows there are. */
  readonly count: number;
  /** Adds a batch, and returns the copy to be written: its arrays are the caller's, and may be used again. */
  add(batch: ChangeBatch<Row>): ChangeBatch<Row>;
  /** These rows, as batches of one partition each. */
  batches(range: Range): ChangeBatch<Row>[];
  /** The row of a range that came from there, where it is the only one. */
  numberOf(range: Range, partition: unknown, offset: unknown): number | undefined;
  /** The batch that a row is in, and its place there. */
  find(row: number): { readonly batch: ChangeBatch<Row>; readonly index: number } | undefined;
}

export function keptRows<Row>(): KeptRows<Row> {
  const kept: { readonly batch: ChangeBatch<Row>; readonly first: number }[] = [];
  let count = 0;
  return {
    get count() {
      return count;
    },
    add(batch) {
      const copy = part(batch, 0, batch.rows.length);
      kept.push({ batch: copy, first: count });
      count += copy.rows.length;
      return copy;
    },
    batches({ from, to }) {
      return kept.flatMap(({ batch, first }) => {
        const [start, end] = [Math.max(0, from - first), Math.min(batch.rows.length, to - first)];
        if (start >= end) return [];
        return [start === 0 && end === batch.rows.length ? batch : part(batch, start, end)];
      });
    },
    numberOf(range, partition, offset) {
      const found: number[] = [];
      for (const { batch, first } of kept) {
        if (batch.partition !== partition || typeof offset !== 'bigint') continue;
        const end = Math.min(batch.rows.length, range.to - first);
        for (let index = Math.max(0, range.from - first); index < end; index += 1)
          if (batch.offsets?.[index] === offset) found.push(first + index);
      }
      return found.length === 1 ? found[0] : undefined;
    },
    find(row) {
      const found = kept.find(({ batch, first }) => row >= first && row < first + batch.rows.length);
      return found === undefined ? undefined : { batch: found.batch, index: row - found.first };
    },
  };
}

function part<Row>(
  { partition, rows, ops, offsets }: ChangeBatch<Row>,
  start: number,
  end: number,
): ChangeBatch<Row> {
  return {
    partition,
    rows: rows.slice(start, end),
    ...(ops === undefined ? {} : { ops: ops.slice(start, end) }),
    ...(offsets === undefined ? {} : { offsets: offsets.slice(start, end) }),
  };
}
