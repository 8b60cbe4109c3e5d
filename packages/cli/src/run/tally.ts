/** What a run has come to, for its progress: rows, rate, commits, recoveries, and how far it is in its source. */
import type { PartitionId, Position, Positions, SourceLag } from '@eos/core';
import type { RunEvent } from './events.js';

/** The rate is that of this long. */
const WINDOW_MS = 5_000;

export class Tally {
  rows = 0;
  commits = 0;
  /** Rows that the sink set aside. */
  rejected = 0;
  recoveries = 0;
  /** What is going on, where it is not simply writing. */
  doing = 'starting';
  readonly #positions = new Map<PartitionId, Position>();
  #marks: { readonly at: number; readonly rows: number }[] = [];
  #lag: ReadonlyMap<PartitionId, SourceLag> = new Map();

  add({ name, message }: RunEvent, now: number): void {
    switch (name) {
      case 'eos:claim':
        this.doing = '';
        this.#move(message.positions);
        return;
      case 'eos:commit':
        this.doing = '';
        this.rows += message.rows;
        this.rejected += message.rejected;
        this.commits++;
        this.#move(message.positions);
        this.#mark(now);
        return;
      case 'eos:retry':
        this.recoveries++;
        this.doing = `${message.error.code}, trying again`;
        return;
      case 'eos:regress':
        this.doing = 'the destination went back';
        return;
      case 'eos:fence':
        if (!message.isOver) this.doing = 'another process has claimed a partition, asking the group again';
        return;
      case 'eos:reject':
      case 'eos:settle':
        return;
    }
  }

  get positions(): Positions {
    return this.#positions;
  }

  /** What the source has said last about what is left. */
  set lag(lag: ReadonlyMap<PartitionId, SourceLag>) {
    this.#lag = lag;
  }

  /** Rows a second, over the last few seconds. */
  rate(now: number): number {
    const first = this.#marks.find(({ at }) => at >= now - WINDOW_MS);
    if (first === undefined || now - first.at < 1) return 0;
    return ((this.rows - first.rows) / (now - first.at)) * 1000;
  }

  /** How much is read and how much there is; undefined where the source cannot tell all of it. */
  progress(): { readonly done: number; readonly total: number; readonly unit: 'bytes' | 'rows' } | undefined {
    let done = 0n;
    let total = 0n;
    let unit: 'bytes' | 'rows' | undefined;
    for (const [partition, lag] of this.#lag) {
      if (lag.total === undefined || (unit !== undefined && unit !== lag.unit)) return undefined;
      unit = lag.unit;
      total += lag.total;
      // A last record may end in front of the end of its file.
      const offset = lag.behind === 0n ? lag.total : (this.#positions.get(partition)?.offset ?? 0n);
      done += offset < lag.total ? offset : lag.total;
    }
    return unit === undefined ? undefined : { done: Number(done), total: Number(total), unit };
  }

  #move(positions: Positions): void {
    for (const [partition, position] of positions) this.#positions.set(partition, position);
  }

  #mark(now: number): void {
    this.#marks = this.#marks.filter(({ at }) => at >= now - WINDOW_MS);
    this.#marks.push({ at: now, rows: this.rows });
  }
}
