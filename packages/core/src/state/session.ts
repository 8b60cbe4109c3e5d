/** The state of a session: alive, dead after a failed commit, or closed; at most one transaction, or two where the first is on its way to its commit. */
import type { SessionDriver } from '../define-sink.js';
import { EosError } from '../errors.js';
import { randomId, type Owner, type PartitionId } from '../identifiers.js';
import type { Position, Positions } from '../positions.js';
import type { SinkCapabilities, SinkSession, SinkTransaction } from '../sink.js';
import { driverCall } from './driver-errors.js';
import { OpenTransaction } from './transaction.js';

export class OpenSession<Row> implements SinkSession<Row> {
  readonly #positions: Map<PartitionId, Position>;
  #death: EosError | undefined;
  #closing: Promise<void> | undefined;
  readonly #open = new Set<OpenTransaction<Row>>();

  constructor(
    readonly capabilities: SinkCapabilities,
    readonly driver: SessionDriver<Row>,
    readonly owner: Owner,
    private readonly onClose: () => void,
  ) {
    this.#positions = new Map(driver.positions);
  }

  get positions(): Positions {
    return this.#positions;
  }

  async begin(): Promise<SinkTransaction<Row>> {
    this.checkAlive();
    const busy = [...this.#open].find((other) => !(this.capabilities.staging && other.isSealed));
    if (busy !== undefined || this.#open.size > 1) {
      const message = 'commit or roll back the open transaction before the next one begins';
      throw new EosError('EOS_TRANSACTION_OPEN', message);
    }
    const transaction = new OpenTransaction(this, randomId());
    this.#open.add(transaction);
    try {
      await transaction.start();
    } catch (error) {
      this.#open.delete(transaction);
      throw error;
    }
    return transaction;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** The driver's close is not kept waiting by a rollback: on a connection that hangs it is what ends both. */
  async #close(): Promise<void> {
    const rollbacks = [...this.#open].map((transaction) => transaction.rollback());
    this.onClose();
    const closed = driverCall(() => this.driver.close());
    await Promise.allSettled([...rollbacks, closed]);
    await closed;
  }

  /** @throws EOS_CLOSED, EOS_SESSION_DEAD */
  checkAlive(): void {
    if (this.#closing !== undefined) throw new EosError('EOS_CLOSED', 'the session is closed');
    if (this.#death === undefined) return;
    const message = `the session is dead (${this.#death.code}): call recover for a new one`;
    throw new EosError('EOS_SESSION_DEAD', message, { cause: this.#death, retryable: this.#death.retryable });
  }

  /** After a failed commit nothing that this session knows is certain any more. */
  die(reason: EosError): void {
    this.#death ??= reason;
  }

  hasEarlier(transaction: OpenTransaction<Row>): boolean {
    const [first] = this.#open;
    return first !== transaction;
  }

  ended(transaction: OpenTransaction<Row>): void {
    this.#open.delete(transaction);
  }

  advance(next: Positions): void {
    for (const [partition, position] of next) this.#positions.set(partition, position);
  }
}
