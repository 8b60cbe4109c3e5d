/**
 * The destination: a linearizable store. Each method is one atomic step, and compares by the judgements of the core under test. What
 * is right is not decided here but in claim-invariants.ts and commit-invariants.ts, which use none of them.
 */
import {
  EosError,
  initialPosition,
  isRetraction,
  judgeClaim,
  judgeCommit,
  judgeTarget,
  type ChangelogMode,
  type Claim,
  type DriverCommit,
  type Position,
  type Positions,
} from '@eos/core';
import type { Row } from './changelog.js';
import type { TableState } from './oracle.js';

/** A row on its way to the destination. */
export interface WrittenRow {
  readonly partition: string;
  readonly op: number;
  readonly row: Row;
}

interface State {
  readonly positions: Positions;
  /** By partition; no row is in two partitions. */
  readonly tables: ReadonlyMap<string, TableState>;
  readonly target: string;
}

export class Store {
  #state: State = { positions: new Map(), tables: new Map(), target: 'table 1' };
  /** The states before the last changes, for going back. */
  readonly #history: State[] = [];
  #targets = 1;

  constructor(private readonly mode: ChangelogMode) {}

  get positions(): Positions {
    return this.#state.positions;
  }

  get target(): string {
    return this.#state.target;
  }

  tableOf(partition: string): TableState {
    return this.#state.tables.get(partition) ?? new Map<string, number>();
  }

  /** Law 1. @throws EOS_FENCED, EOS_TARGET_CHANGED */
  claim({ partitions, owner, replacing }: Claim): Positions {
    const { positions, target } = this.#state;
    const claimed = new Map<string, Position>();
    for (const partition of partitions) {
      const found = positions.get(partition);
      judgeClaim(partition, found, replacing.get(partition));
      judgeTarget(partition, found, target, 'table');
      const isNew = found === undefined || found.epoch === 0n;
      claimed.set(partition, isNew ? initialPosition(owner, target) : { ...found, owner });
    }
    this.#change({ positions: new Map([...positions, ...claimed]) });
    return claimed;
  }

  /** What a sink may check before it commits: that the session still holds its claim, and that what is taken back is there. */
  check(from: Positions, rows: readonly WrittenRow[]): void {
    this.#judge(from);
    this.#applied(rows);
  }

  /** Law 2. @throws EOS_FENCED, EOS_POSITION_REGRESSED, EOS_TARGET_CHANGED, EOS_ROW */
  commit({ from, next }: Pick<DriverCommit, 'from' | 'next'>, rows: readonly WrittenRow[]): void {
    this.#judge(from);
    const tables = this.#applied(rows);
    this.#change({ positions: new Map([...this.#state.positions, ...next]), tables });
  }

  /** Goes back by as many changes, or to the beginning. */
  restore(steps: number): void {
    for (let step = 0; step < steps; step++) this.#state = this.#history.pop() ?? this.#state;
  }

  /** Drops the table and makes it again; the positions lie elsewhere. */
  replaceTarget(): void {
    this.#change({ tables: new Map(), target: `table ${++this.#targets}` });
  }

  #change(changed: Partial<State>): void {
    this.#history.push(this.#state);
    this.#state = { ...this.#state, ...changed };
  }

  #judge(from: Positions): void {
    for (const [partition, position] of from) {
      judgeCommit(partition, this.#state.positions.get(partition), position);
      if (position.target === this.#state.target) continue;
      throw new EosError('EOS_TARGET_CHANGED', `partition ${partition} was claimed for an earlier table`);
    }
  }

  #applied(rows: readonly WrittenRow[]): ReadonlyMap<string, TableState> {
    const tables = new Map<string, Map<string, number>>();
    for (const { partition, op, row } of rows) {
      const table = tables.get(partition) ?? new Map(this.tableOf(partition));
      tables.set(partition, table);
      this.#apply(table, isRetraction(op), row);
    }
    return new Map([...this.#state.tables, ...tables]);
  }

  #apply(table: Map<string, number>, isTaken: boolean, row: Row): void {
    if (this.mode === 'upsert') {
      if (isTaken) table.delete(row.key);
      else table.set(row.key, row.value);
      return;
    }
    const text = `${row.key}=${row.value}`;
    const copies = (table.get(text) ?? 0) + (isTaken ? -1 : 1);
    if (copies < 0) throw new EosError('EOS_ROW', `${text} is taken back and is not there`);
    if (copies === 0) table.delete(text);
    else table.set(text, copies);
  }
}
