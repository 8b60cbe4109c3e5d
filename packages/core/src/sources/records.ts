/** What the formats have in common: records are framed in a window of text and collected column by column. */
import { EosError } from '../errors.js';
import type { PartitionId } from '../identifiers.js';
import type { TextWindow } from './text-window.js';

/** Where in a source the work is at: errors name it. */
export interface Place {
  readonly partition: PartitionId;
  /** Where the record at hand starts. */
  offset: number;
}

/** Frames and decodes the records of one text, from its start or from where an earlier run stopped. */
export interface RecordParser<Row> {
  /**
   * Takes up to `limit` whole records from `text.start` on, and says in `records.next` how far it came: behind the last record
   * taken, or, where it took none, behind what it will not look at again.
   * @throws EOS_SOURCE_FORMAT
   */
  parse(text: TextWindow, limit: number, records: Records<Row>): void;
  /** Before the first `parse` of a text that is read from the middle; `before` is its byte in front of that place, undefined at its start. */
  resume(before: number | undefined): void;
  /**
   * Only where a text says at its start how to read the rest: learns it from there, so that reading can start in the middle.
   * False: it needs more text.
   */
  learn?(text: TextWindow): boolean;
}

/** A format with its options: makes a parser for each text. */
export interface RecordFormat<Row> {
  readonly name: 'ndjson' | 'json array' | 'csv';
  /** Whether rows carry ops. */
  readonly hasOps: boolean;
  parser(place: Place): RecordParser<Row>;
}

/** The records of one batch: a growing set of columns, used again for the next batch. */
export class Records<Row> {
  rows: Row[] = [];
  count = 0;
  next = 0;
  #starts = new Int32Array(1024);
  #ops: Uint8Array | undefined;

  constructor(hasOps: boolean) {
    if (hasOps) this.#ops = new Uint8Array(this.#starts.length);
  }

  reset(next: number): void {
    this.rows = [];
    this.count = 0;
    this.next = next;
  }

  /** @param start index of the record's first byte in the window; `next` the one behind the record */
  add(row: Row, op: number, start: number, next: number): void {
    const { count } = this;
    if (count === this.#starts.length) this.#grow();
    this.rows.push(row);
    this.#starts[count] = start;
    if (this.#ops !== undefined) this.#ops[count] = op;
    this.count = count + 1;
    this.next = next;
  }

  start(index: number): number {
    return this.#starts[index] ?? 0;
  }

  ops(): Uint8Array | undefined {
    return this.#ops?.slice(0, this.count);
  }

  /** The offsets of the records, where `base` is the offset of the window's first byte. */
  offsets(base: number): BigInt64Array {
    const offsets = new BigInt64Array(this.count);
    // Two halves for each: a bigint for each row would be an allocation for each row. Storing into a Uint32Array takes the value
    // modulo 2^32, so that the low half needs no arithmetic.
    const halves = new Uint32Array(offsets.buffer);
    for (let index = 0; index < this.count; index++) {
      const offset = base + (this.#starts[index] ?? 0);
      halves[2 * index + LOW] = offset;
      halves[2 * index + 1 - LOW] = Math.floor(offset / 2 ** 32);
    }
    return offsets;
  }

  #grow(): void {
    const starts = new Int32Array(this.#starts.length * 2);
    starts.set(this.#starts);
    this.#starts = starts;
    if (this.#ops === undefined) return;
    const ops = new Uint8Array(starts.length);
    ops.set(this.#ops);
    this.#ops = ops;
  }
}

/** Which half of a 64-bit number comes first in this machine's memory: 0 on little-endian ones. */
const LOW = new Uint32Array(BigInt64Array.of(1n).buffer)[0] === 1 ? 0 : 1;

/** The error of a record that cannot be read. */
export function formatError(
  place: Place,
  problem: string,
  details: Readonly<Record<string, unknown>> = {},
  cause?: unknown,
): EosError {
  return new EosError(
    'EOS_SOURCE_FORMAT',
    `partition ${place.partition}, offset ${place.offset}: ${problem}`,
    {
      details: { partition: place.partition, offset: BigInt(place.offset), ...details },
      ...(cause === undefined ? {} : { cause }),
    },
  );
}

/** A value for a message, cut to 100 characters. */
export function excerpt(value: unknown): string {
  if (value === undefined) return 'undefined';
  const text = JSON.stringify(typeof value === 'string' ? value.slice(0, 101) : value);
  return text.length <= 100 ? text : `${text.slice(0, 99)}…`;
}
