/** Keeps count while writers live and die, and holds what they find against the fate that was staged for their last commit. */
import { PLACES, type Place, type PlannedKill } from './kill-plan.js';
import type { WriterNews } from './messages.js';
import { TABLES, type Table } from './tables.js';

export type SourceOffsets = Readonly<Record<Table, readonly number[]>>;

export class Tally {
  /** Acknowledged commits, and those that a later claim found. */
  commits = 0;
  /** Commits that landed although their writer died before it knew. */
  landedUnseen = 0;
  /** What is not as it was staged. */
  readonly contradictions: string[] = [];
  readonly #kills: PlannedKill[] = [];
  readonly #rows = byTable(() => 0);
  readonly #epochs = byTable(() => 0n);
  /** The kill that ended the last writer with a claim on the table. */
  readonly #unsettled = new Map<Table, PlannedKill>();

  constructor(private readonly offsets: SourceOffsets) {}

  /** Source rows whose commit is known. */
  get rows(): number {
    return TABLES.reduce((sum, table) => sum + this.#rows[table], 0);
  }

  get kills(): readonly PlannedKill[] {
    return this.#kills;
  }

  killed(kill: PlannedKill): void {
    this.#kills.push(kill);
    // A writer that died before its claim has changed nothing about the commit before.
    if (!this.#unsettled.has(kill.table)) this.#unsettled.set(kill.table, kill);
  }

  /** Something is not as `kill` was staged. */
  contradict({ table, place }: PlannedKill, what: string): void {
    this.contradictions.push(`${table}, ${PLACES[place]}: ${what}`);
  }

  heard({ news, table, offset, epoch }: WriterNews): void {
    if (offset !== null) this.#rows[table] = rowsBefore(this.offsets[table], Number(offset));
    if (news === 'commit') this.commits++;
    if (epoch === undefined) return;
    const beyond = BigInt(epoch) - this.#epochs[table];
    if (news === 'claim') this.#settle(table, beyond);
    else if (beyond !== 1n) this.contradictions.push(`${table}: a commit moved the epoch by ${beyond}`);
    this.#epochs[table] = BigInt(epoch);
  }

  #settle(table: Table, landed: bigint): void {
    const kill = this.#unsettled.get(table);
    this.#unsettled.delete(table);
    this.landedUnseen += Number(landed);
    this.commits += Number(landed);
    if (kill !== undefined && !mayHaveLanded(kill.place).includes(landed)) {
      this.contradict(kill, `${landed} commits found beyond the acknowledged ones`);
    }
  }
}

function mayHaveLanded(place: Place): readonly bigint[] {
  switch (place) {
    case 'landed':
      return [1n];
    case 'prepared':
    case 'lost':
    case 'late':
      return [0n];
    case 'write':
    case 'elsewhere':
      return [0n, 1n];
  }
}

/** How many of the ascending `offsets` lie below `offset`. */
export function rowsBefore(offsets: readonly number[], offset: number): number {
  let [low, high] = [0, offsets.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((offsets[middle] ?? offset) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** One value for each table. */
export function byTable<Value>(of: (table: Table) => Value): Record<Table, Value> {
  return {
    flights: of('flights'),
    routes: of('routes'),
    parquet: of('parquet'),
    'delta-flights': of('delta-flights'),
    'delta-routes': of('delta-routes'),
  };
}
