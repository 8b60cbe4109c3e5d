/** What must hold whenever the destination lets a commit through or refuses it (laws 2, 3 and 5), by code of its own. */
import { isEosError, type DriverCommit, type Position, type Positions } from '@eos/core';
import type { ClaimInvariants } from './claim-invariants.js';
import type { History, SentTransaction } from './history.js';
import type { Incarnation } from './incarnation.js';
import type { Delivery } from './network.js';
import type { TableState } from './oracle.js';
import type { Store, WrittenRow } from './store.js';
import type { World } from './world.js';

/** What one request asks for: all partitions of a transaction, or one where each moves by itself. */
export type CommitPart = Pick<DriverCommit, 'from' | 'next'>;

export class CommitInvariants {
  constructor(
    private readonly world: World,
    private readonly store: Store,
    private readonly history: History,
    private readonly claims: ClaimInvariants,
  ) {}

  /** A process is about to send a commit. */
  sent(process: Incarnation, txId: bigint, { from, next }: CommitPart): SentTransaction {
    if (process.isFenced) this.world.violate(`${process.name} commits after it was told to stop`);
    if (this.history.transactions.has(txId)) this.world.violate(`${process.name} sent a transaction twice`);
    const sizes = new Map<string, { rows: number; written: number }>();
    for (const [partition, { offset }] of next) {
      const [oracle, start] = [this.world.oracle.of(partition), from.get(partition)?.offset ?? null];
      const [rows, written] = [
        oracle.countBetween(start, offset ?? 0n),
        oracle.rowsBetween(start, offset ?? 0n).length,
      ];
      sizes.set(partition, { rows, written });
    }
    this.#checkSize(process, [...sizes.values()]);
    const sentAt = this.world.scheduler.step;
    const sets = { landed: new Set<string>(), known: new Set<string>(), aborted: new Set<string>() };
    const transaction: SentTransaction = { process, txId, sentAt, sizes, ...sets };
    this.history.transactions.set(txId, transaction);
    return transaction;
  }

  /** Only the second half of an update may come on top of what the trigger says. */
  #checkSize(process: Incarnation, sizes: readonly { readonly rows: number }[]): void {
    const { mode, trigger } = this.world.plan;
    const rows = sizes.reduce((sum, size) => sum + size.rows, 0);
    if (mode === 'append' && rows > trigger.rows) {
      this.world.violate(`${process.name} commits ${rows} rows where ${trigger.rows} are due`);
    }
  }

  /** A commit, or a part of one, takes effect at the destination, or is refused. */
  step(
    transaction: SentTransaction,
    part: CommitPart,
    rows: readonly WrittenRow[],
    delivery: Delivery,
  ): void {
    const before = this.store.positions;
    try {
      this.store.commit(part, rows);
    } catch (error) {
      this.world.trace(() => `  ${this.#name(transaction)} refused: ${String(error)}`);
      if (delivery.isAwaited) this.checkRefusal(transaction.process, part.from, before, error);
      else this.world.note('late commit refused');
      throw error;
    }
    if (!delivery.isAwaited) this.world.note('late commit');
    for (const [partition, next] of part.next) {
      this.world.trace(() => `  ${this.#name(transaction)} moves ${partition} to ${String(next.offset)}`);
      this.#landed(transaction, partition, before.get(partition), part.from.get(partition), next);
      const written = rows.filter((row) => row.partition === partition);
      this.#checkRows(partition, before.get(partition), next, written);
      this.checkTable(partition);
      transaction.landed.add(partition);
    }
  }

  /** A commit, or a check before it, was refused: `before` is what it found. */
  checkRefusal(process: Incarnation, from: Positions, before: Positions, error: unknown): void {
    const found = [...from].map(([partition, expected]) => ({
      partition,
      expected,
      now: before.get(partition),
    }));
    const isBehind = found.some(({ expected, now }) => now === undefined || now.epoch < expected.epoch);
    const isTakenOver = found.some(({ partition, expected, now }) =>
      this.claims.isTakeover(process, partition, now, expected.epoch),
    );
    const isForeign = found.some(
      ({ expected, now }) =>
        now !== undefined && (now.owner !== expected.owner || now.epoch > expected.epoch),
    );
    if (isEosError(error, 'EOS_POSITION_REGRESSED')) this.world.note('regression');
    if (isEosError(error, 'EOS_POSITION_REGRESSED') && isBehind) return;
    if (isEosError(error, 'EOS_FENCED') && isForeign && isTakenOver) return;
    if (
      isEosError(error, 'EOS_TARGET_CHANGED') &&
      found.some(({ expected }) => expected.target !== this.store.target)
    )
      return;
    this.world.violate(`${process.name} was refused without a reason: ${String(error)}`);
  }

  /** The rows of a partition are those of the source up to the stored offset, at every step. */
  checkTable(partition: string): void {
    const position = this.store.positions.get(partition);
    const isHere = position !== undefined && position.target === this.store.target;
    const expected = this.world.oracle.of(partition).stateAt(isHere ? position.offset : null);
    const found = this.store.tableOf(partition);
    if (isSame(expected, found)) return;
    this.world.violate(
      `the rows of ${partition} are not those of the source up to ${String(position?.offset)}: ` +
        `expected ${text(expected)}, found ${text(found)}`,
    );
  }

  #landed(
    transaction: SentTransaction,
    partition: string,
    found: Position | undefined,
    from: Position | undefined,
    next: Position,
  ): void {
    const problem = (what: string) =>
      this.world.violate(`${this.#name(transaction)} committed ${partition}: ${what}`);
    if (found === undefined) {
      problem('nobody has claimed it');
      return;
    }
    if (found.owner !== from?.owner) problem('it is not the claimant');
    if (found.owner !== next.owner) problem('the commit changed the owner');
    if (next.epoch !== found.epoch + 1n) problem(`epoch ${found.epoch} became ${next.epoch}`);
    if (next.txId !== transaction.txId) problem('the record names another transaction');
    if (found.target !== this.store.target) problem('the position belongs to another table');
    if (next.source?.['at'] !== String(next.offset))
      problem('the identity of the source belongs to another offset');
    if (this.world.oracle.of(partition).isHalfway(next.offset)) problem('it took one half of an update');
    if (this.history.disturbedAt >= transaction.sentAt) return;
    if (transaction.landed.has(partition)) problem('it landed twice');
    if (transaction.aborted.has(partition)) problem('it had been settled as aborted');
  }

  /** Each range of offsets exactly once: what was written is what lies between the found and the new offset. */
  #checkRows(
    partition: string,
    found: Position | undefined,
    next: Position,
    written: readonly WrittenRow[],
  ): void {
    const expected = this.world.oracle.of(partition).rowsBetween(found?.offset ?? null, next.offset ?? 0n);
    const fits =
      expected.length === written.length &&
      expected.every(({ op, row }, index) => {
        const other = written[index];
        return other?.op === op && other.row.key === row.key && other.row.value === row.value;
      });
    if (fits) return;
    const range = `${String(found?.offset)} to ${String(next.offset)}`;
    this.world.violate(
      `${partition}: ${range} are ${expected.length} rows, and ${written.length} were written: ` +
        `expected ${rowsText(expected)}; written ${rowsText(written)}`,
    );
  }

  #name({ process, txId }: SentTransaction): string {
    return `${process.name} (${this.world.name('tx', txId)})`;
  }
}

function isSame(expected: TableState, found: TableState): boolean {
  if (expected.size !== found.size) return false;
  for (const [key, value] of expected) if (found.get(key) !== value) return false;
  return true;
}

function text(state: TableState): string {
  return `{ ${[...state].map(([key, value]) => `${key}: ${value}`).join(', ')} }`;
}

function rowsText(rows: readonly Pick<WrittenRow, 'op' | 'row'>[]): string {
  return rows.map(({ op, row }) => `${op} ${row.key}=${row.value}`).join(', ');
}
