/** What the destination must hold: the source applied once, in order, by code of its own. */
import { Op, type ChangelogMode } from '@eos/core';
import { expand, type PartitionLog, type Row } from './changelog.js';

/** The rows of one partition: by key their value (upsert), else by their text how many copies there are. */
export type TableState = ReadonlyMap<string, number>;

export interface ExpectedRow {
  readonly op: Op;
  readonly row: Row;
}

export class Oracle {
  readonly #partitions = new Map<string, PartitionOracle>();

  constructor(mode: ChangelogMode, logs: readonly PartitionLog[]) {
    for (const log of logs) this.#partitions.set(log.partition, new PartitionOracle(mode, log));
  }

  of(partition: string): PartitionOracle {
    const oracle = this.#partitions.get(partition);
    if (oracle === undefined) throw new RangeError(`there is no partition ${partition}`);
    return oracle;
  }

  get partitions(): readonly string[] {
    return [...this.#partitions.keys()];
  }
}

class PartitionOracle {
  /** States by how many changes were applied, as far as they were asked for. */
  readonly #states: TableState[] = [new Map()];

  constructor(
    private readonly mode: ChangelogMode,
    private readonly log: PartitionLog,
  ) {}

  /** The rows after all changes below `offset`. */
  stateAt(offset: bigint | null): TableState {
    const count = this.#countBelow(offset);
    for (let index = this.#states.length; index <= count; index++)
      this.#states.push(this.#stateAfter(index - 1));
    return this.#states[count] ?? new Map();
  }

  /** What a transaction from `from` to `to` has to write, in order. */
  rowsBetween(from: bigint | null, to: bigint): readonly ExpectedRow[] {
    return this.log.changes
      .slice(this.#countBelow(from), this.#countBelow(to))
      .flatMap(({ op, row }) => expand(row).map((made) => ({ op, row: made })));
  }

  /** How many source rows lie there. */
  countBetween(from: bigint | null, to: bigint): number {
    return this.#countBelow(to) - this.#countBelow(from);
  }

  /** True between the two halves of an update. */
  isHalfway(offset: bigint | null): boolean {
    return this.log.changes[this.#countBelow(offset) - 1]?.op === Op.updateBefore;
  }

  /** True where nothing is left to read from `offset` on. */
  isEnd(offset: bigint | null): boolean {
    return this.#countBelow(offset) === this.log.changes.length;
  }

  #countBelow(offset: bigint | null): number {
    if (offset === null) return 0;
    const limit = Number(offset);
    let count = 0;
    for (const change of this.log.changes) {
      if (change.offset >= limit) break;
      count++;
    }
    return count;
  }

  #stateAfter(index: number): TableState {
    const state = new Map(this.#states[index]);
    const change = this.log.changes[index];
    if (change === undefined) return state;
    const isTaken = change.op === Op.delete || change.op === Op.updateBefore;
    for (const row of expand(change.row)) {
      if (this.mode === 'upsert') {
        if (isTaken) state.delete(row.key);
        else state.set(row.key, row.value);
        continue;
      }
      const text = `${row.key}=${row.value}`;
      const copies = (state.get(text) ?? 0) + (isTaken ? -1 : 1);
      if (copies === 0) state.delete(text);
      else state.set(text, copies);
    }
    return state;
  }
}
