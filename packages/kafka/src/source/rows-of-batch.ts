/** Collects the rows of a batch in columns. */
import type { RowTarget } from '../encoding/format.js';

/** Which half of a 64-bit number comes first in this machine's memory: 0 on little-endian ones. */
const LOW = new Uint32Array(BigInt64Array.of(1n).buffer)[0] === 1 ? 0 : 1;

export class RowsOfBatch<Row> implements RowTarget<Row> {
  rows: Row[] = [];
  #offsets = new Float64Array(1024);
  #ops: Uint8Array | undefined;
  #base = 0;
  #deltas: Int32Array = NONE;

  constructor(private readonly hasOps: boolean) {}

  get count(): number {
    return this.rows.length;
  }

  reset(): void {
    this.rows = [];
    this.#ops = this.hasOps ? new Uint8Array(this.#offsets.length) : undefined;
  }

  /** Record `i` of what comes next lies at `base + deltas[i]`. */
  from(base: bigint, deltas: Int32Array): void {
    this.#base = Number(base);
    this.#deltas = deltas;
  }

  add(row: Row, op: number, index: number): void {
    const count = this.rows.length;
    if (count === this.#offsets.length) this.#grow();
    this.rows.push(row);
    this.#offsets[count] = this.#base + (this.#deltas[index] ?? 0);
    if (this.#ops !== undefined) this.#ops[count] = op;
  }

  ops(): Uint8Array | undefined {
    return this.#ops?.slice(0, this.rows.length);
  }

  /** In two halves each: a bigint for each row would be an allocation for each row. Offsets stay below 2^53. */
  offsets(): BigInt64Array {
    const offsets = new BigInt64Array(this.rows.length);
    const halves = new Uint32Array(offsets.buffer);
    for (let index = 0; index < offsets.length; index++) {
      const offset = this.#offsets[index] ?? 0;
      halves[2 * index + LOW] = offset;
      halves[2 * index + 1 - LOW] = Math.floor(offset / 2 ** 32);
    }
    return offsets;
  }

  #grow(): void {
    const offsets = new Float64Array(this.#offsets.length * 2);
    offsets.set(this.#offsets);
    this.#offsets = offsets;
    if (this.#ops === undefined) return;
    const ops = new Uint8Array(offsets.length);
    ops.set(this.#ops);
    this.#ops = ops;
  }
}

const NONE = new Int32Array(0);
