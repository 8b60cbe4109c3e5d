/** Which changes become records, and of what: one record for each insert; or by key, the last value and tombstones. */
import { keyTextOf, Op, rowError, type ChangeBatch, type RowOrigin, type RowSchema } from '@eos/core';

/** The records to make of a batch: record `i` is of row `rows[i]`, and without a value where it is a tombstone. */
export interface ChangeRecords<out Row> extends RowOrigin {
  readonly rows: readonly Row[];
  /** 1 for a tombstone; absent: none is one. */
  readonly tombstones?: Uint8Array;
}

/** Turns the changes of one transaction into records, batch by batch. */
export interface ChangePlanner<in out Row> {
  plan(batch: ChangeBatch<Row>): ChangeRecords<Row>;
  /** By source partition: what waited for the next batch. */
  finish(): readonly ChangeRecords<Row>[];
}

/** A record for each row; anything but an insert is an error. */
export function appendPlanner<Row>(): ChangePlanner<Row> {
  return {
    plan(batch) {
      const other = batch.ops?.findIndex((op) => op !== Op.insert) ?? -1;
      if (other !== -1) throw rowError(batch, other, 'this format holds inserts (+I) only');
      return batch;
    },
    finish: () => [],
  };
}

/**
 * `+I` and `+U` write the row under its key, `-D` a tombstone. `-U` writes nothing where the `+U` behind it has the same key, which then
 * replaces it; where the key changed, the old one gets a tombstone.
 */
export function upsertPlanner<Row extends object>(
  key: readonly string[],
  schema: RowSchema | undefined,
): ChangePlanner<Row> {
  return new UpsertPlanner(keyTextOf(key, schema));
}

interface FirstHalf<Row> {
  readonly row: Row;
  readonly offset: bigint | undefined;
}

class UpsertPlanner<Row extends object> implements ChangePlanner<Row> {
  /** By source partition: a `-U` at the end of a batch, until the next one shows its second half. */
  readonly #halves = new Map<string, FirstHalf<Row>>();

  constructor(private readonly keyText: (row: object) => string) {}

  plan(batch: ChangeBatch<Row>): ChangeRecords<Row> {
    const { ops, partition } = batch;
    const isPlain = ops === undefined || ops.every((op) => op === Op.insert || op === Op.updateAfter);
    if (isPlain && !this.#halves.has(partition)) return batch;
    return this.#planMixed(batch, ops ?? new Uint8Array(batch.rows.length));
  }

  finish(): readonly ChangeRecords<Row>[] {
    const rest = [...this.#halves].map(([partition, { row, offset }]) => ({
      partition,
      rows: [row],
      tombstones: Uint8Array.of(1),
      ...(offset === undefined ? {} : { offsets: BigInt64Array.of(offset) }),
    }));
    this.#halves.clear();
    return rest;
  }

  #planMixed({ rows, offsets, partition }: ChangeBatch<Row>, ops: Uint8Array): ChangeRecords<Row> {
    const made: Row[] = [];
    const madeOffsets: bigint[] = [];
    const tombstones = new Uint8Array(rows.length + 1);
    const add = (row: Row, offset: bigint | undefined, isTombstone: boolean) => {
      if (isTombstone) tombstones[made.length] = 1;
      made.push(row);
      madeOffsets.push(offset ?? 0n);
    };
    let half = this.#halves.get(partition);
    this.#halves.delete(partition);
    rows.forEach((row, index) => {
      const [op, offset] = [ops[index], offsets?.[index]];
      if (half !== undefined) {
        const isReplaced = op === Op.updateAfter && this.keyText(half.row) === this.keyText(row);
        if (!isReplaced) add(half.row, half.offset, true);
      }
      half = op === Op.updateBefore ? { row, offset } : undefined;
      if (half === undefined) add(row, offset, op === Op.delete);
    });
    if (half !== undefined) this.#halves.set(partition, half);
    return {
      partition,
      rows: made,
      tombstones: tombstones.subarray(0, made.length),
      ...(offsets === undefined ? {} : { offsets: BigInt64Array.from(madeOffsets) }),
    };
  }
}
