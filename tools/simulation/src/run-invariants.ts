/** What must hold for what a run says of itself: its events, its result, how it ended and what it left open. */
import { isEosError, type PipelineEvents, type RunResult } from '@eos/core';
import type { History, SentTransaction } from './history.js';
import type { Incarnation } from './incarnation.js';
import type { Store } from './store.js';
import type { World } from './world.js';

export class RunInvariants {
  constructor(
    private readonly world: World,
    private readonly store: Store,
    private readonly history: History,
  ) {}

  /** `eos:commit`: what is reported as acknowledged is there, and as large as reported. */
  acknowledged({ txId, positions, rows, written }: PipelineEvents['eos:commit']): void {
    const transaction = this.#transaction(txId);
    if (transaction === undefined) return;
    const { process, sizes, landed, known } = transaction;
    for (const partition of sizes.keys()) {
      known.add(partition);
      if (positions.get(partition)?.txId !== txId) {
        this.world.violate(`${process.name} reports a commit with another position of ${partition}`);
      }
      if (!landed.has(partition))
        this.world.violate(`${process.name} reports a commit of ${partition} that is not there`);
    }
    const expected = sum([...sizes.values()]);
    if (expected.rows !== rows || expected.written !== written) {
      this.world.violate(
        `${process.name} reports ${rows} rows, written ${written}; the commit has ${text(expected)}`,
      );
    }
    process.retries = 0;
    this.world.note('commit acknowledged');
  }

  /** `eos:settle`: a lost answer is settled as what became of the commit. */
  settled({ txId, outcomes }: PipelineEvents['eos:settle']): void {
    const transaction = this.#transaction(txId);
    if (transaction === undefined) return;
    const { process, sentAt, landed, known, aborted } = transaction;
    for (const outcome of outcomes.values()) this.world.note(`settled as ${outcome}`);
    if (new Set(outcomes.values()).size > 1) this.world.note('settled in part');
    for (const [partition, outcome] of outcomes) {
      (outcome === 'committed' ? known : aborted).add(partition);
      if (outcome === 'committed') process.retries = 0;
      if (this.history.disturbedAt >= sentAt || landed.has(partition) === (outcome === 'committed')) continue;
      this.world.violate(
        `${process.name} settled ${partition} as ${outcome}, which is not what became of it`,
      );
    }
  }

  /** `eos:regress`: nothing goes back by itself. */
  regressed({ partition, expected, found }: PipelineEvents['eos:regress']): void {
    if (this.history.disturbedAt >= 0 && found < expected) return;
    this.world.violate(`${partition} is reported to have gone back from epoch ${expected} to ${found}`);
  }

  ended(process: Incarnation, result: RunResult): void {
    const { reason } = result;
    process.end = { reason, code: undefined };
    if (reason === 'stopped' && !process.stop.signal.aborted) {
      this.world.violate(`${process.name} stopped without being asked to`);
    }
    this.#checkNothingOpen(process);
    if (this.history.disturbedAt >= process.startedAt) return;
    this.#checkCounts(process, result);
    this.#checkPositions(process, result);
    if (reason === 'end') this.#checkEverythingThere(process);
  }

  failed(process: Incarnation, error: unknown): void {
    process.end = { reason: 'failed', code: isEosError(error) ? error.code : String(error) };
    this.#checkNothingOpen(process);
    // Whether the destination was right to say so was checked when it did.
    if (isEosError(error, 'EOS_FENCED')) this.world.note('fence');
    if (isEosError(error, 'EOS_FENCED') && process.isFenced) return;
    if (isEosError(error, 'EOS_TARGET_CHANGED')) return;
    const mayGiveUp = process.retries + 1 >= this.world.plan.retry.attempts;
    if (isEosError(error) && error.retryable && mayGiveUp) {
      this.world.note('gave up');
      return;
    }
    this.world.violate(`${process.name} ended after ${process.retries} retries: ${describe(error)}`);
  }

  #transaction(txId: bigint): SentTransaction | undefined {
    const transaction = this.history.transactions.get(txId);
    if (transaction === undefined) this.world.violate('an event names a transaction that was never sent');
    return transaction;
  }

  /** What the run counted is what landed; only what an interrupted run never learned of may be missing. */
  #checkCounts(process: Incarnation, result: RunResult): void {
    const own = [...this.history.transactions.values()].filter(
      (transaction) => transaction.process === process,
    );
    const counts = (of: (transaction: SentTransaction) => ReadonlySet<string>) => {
      const sizes = own.map((transaction) =>
        [...transaction.sizes].filter(([partition]) => of(transaction).has(partition)),
      );
      const total = sum(sizes.flat().map(([, size]) => size));
      return { ...total, commits: sizes.filter((parts) => parts.length > 0).length };
    };
    const [known, landed] = [
      counts((transaction) => transaction.known),
      counts((transaction) => transaction.landed),
    ];
    const found = { rows: result.rows, written: result.written, commits: result.commits };
    if (text(found) !== text(known)) {
      this.world.violate(`${process.name} counted ${text(found)}; it knew of ${text(known)}`);
    }
    if (!process.wasInterrupted && text(found) !== text(landed)) {
      this.world.violate(`${process.name} counted ${text(found)}; ${text(landed)} landed`);
    }
  }

  /** The positions that the run reports are those at the destination. */
  #checkPositions(process: Incarnation, { positions }: RunResult): void {
    for (const [partition, { epoch, offset }] of positions) {
      if (process.wasInterrupted || this.history.wasTakenSince(partition, process, process.startedAt))
        continue;
      const found = this.store.positions.get(partition);
      if (found?.epoch === epoch && found.offset === offset) continue;
      this.world.violate(
        `${process.name} reports ${partition} at ${String(offset)}, and it is at ${String(found?.offset)}`,
      );
    }
  }

  #checkEverythingThere(process: Incarnation): void {
    for (const partition of this.world.oracle.partitions) {
      if (this.history.wasTakenSince(partition, process, process.startedAt)) continue;
      if (this.world.oracle.of(partition).isEnd(this.store.positions.get(partition)?.offset ?? null))
        continue;
      this.world.violate(`${process.name} ended before the end of ${partition}`);
    }
  }

  #checkNothingOpen(process: Incarnation): void {
    if (process.open.size === 0) return;
    this.world.violate(`${process.name} ended and left open: ${[...process.open].join(', ')}`);
  }
}

interface Size {
  readonly rows: number;
  readonly written: number;
}

function sum(sizes: readonly Size[]): Size {
  return sizes.reduce(
    (total, size) => ({ rows: total.rows + size.rows, written: total.written + size.written }),
    { rows: 0, written: 0 },
  );
}

function text(counts: Size & { readonly commits?: number }): string {
  return `${counts.rows} rows, ${counts.written} written, ${counts.commits ?? 1} commits`;
}

function describe(error: unknown): string {
  return isEosError(error)
    ? `${error.code} ${error.message}`
    : String(error instanceof Error ? error.stack : error);
}
