/** The state of a transaction: which call may follow which, and what is left after a failure. */
import type { ChangeBatch } from '../changes.js';
import type { TransactionDriver } from '../define-sink.js';
import { EosError, isEosError } from '../errors.js';
import type { PartitionId, TxId } from '../identifiers.js';
import type { CommitRange, RejectedRows, SinkTransaction } from '../sink.js';
import { checkBatch, nextPositions } from './checks.js';
import { asEosError, driverCall } from './driver-errors.js';
import type { OpenSession } from './session.js';

/** `failed`: a step before commit threw, only rollback is left. `unsettled`: the commit threw, the destination knows what became of it. */
type State =
  'open' | 'preparing' | 'prepared' | 'failed' | 'committing' | 'committed' | 'unsettled' | 'rolled back';

const ROLLBACK_STATES: ReadonlySet<State> = new Set(['open', 'preparing', 'prepared', 'failed']);

export class OpenTransaction<Row> implements SinkTransaction<Row> {
  #state: State = 'open';
  #busy = false;
  #driver: TransactionDriver<Row> | undefined;
  readonly #written = new Set<PartitionId>();

  constructor(
    private readonly session: OpenSession<Row>,
    readonly id: TxId,
  ) {}

  /** No more is written to it: the next one may be begun where the sink stages. */
  get isSealed(): boolean {
    return this.#state === 'preparing' || this.#state === 'prepared' || this.#state === 'committing';
  }

  get rejected(): RejectedRows | undefined {
    return this.#driver?.rejected?.();
  }

  async start(): Promise<void> {
    this.#driver = await driverCall(() => this.session.driver.begin(this.id));
  }

  async write(batch: ChangeBatch<Row>): Promise<void> {
    const driver = this.#enter('write', 'open');
    checkBatch(batch, this.session.positions, this.session.capabilities.changelog);
    if (batch.rows.length === 0) return;
    this.#written.add(batch.partition);
    await this.#step(() => driver.write(batch));
  }

  async prepare(): Promise<void> {
    const driver = this.#enter('prepare', 'open');
    if (this.session.hasEarlier(this)) {
      const message = 'prepare must wait until the commit of the earlier transaction was acknowledged';
      throw new EosError('EOS_TRANSACTION_OPEN', message);
    }
    this.#state = 'preparing';
    await this.#step(() => driver.prepare());
    // A rollback may have come in between.
    if (this.#isState('preparing')) this.#state = 'prepared';
  }

  async commit({ from, to }: CommitRange): Promise<void> {
    const driver = this.#enter('commit', 'prepared');
    const next = nextPositions({ from, to }, this.#written, this.session.positions, this.id);
    this.#state = 'committing';
    try {
      await driverCall(() => driver.commit({ from, next, hasRows: this.#written.size > 0 }), 'unknown');
    } catch (error) {
      this.#state = 'unsettled';
      this.session.ended(this);
      this.session.die(asEosError(error));
      throw error;
    }
    this.#state = 'committed';
    this.session.ended(this);
    this.session.advance(next);
  }

  async rollback(): Promise<void> {
    // Nothing is left to roll back once a commit request was sent: its outcome is the destination's to tell (law 3).
    if (!ROLLBACK_STATES.has(this.#state)) return;
    this.#state = 'rolled back';
    this.session.ended(this);
    try {
      await this.#driver?.rollback();
    } catch (error) {
      // A connection that broke has rolled back by itself; the session's close frees what is left.
      this.session.die(asEosError(error));
    }
  }

  #enter(call: string, expected: State): TransactionDriver<Row> {
    this.session.checkAlive();
    if (this.#state !== expected || this.#driver === undefined) {
      throw new EosError(
        'EOS_STATE',
        `${call} needs a transaction that is ${expected}; this one is ${this.#state}`,
      );
    }
    if (this.#busy) {
      throw new EosError('EOS_STATE', `${call} was called before the last call on the transaction had ended`);
    }
    return this.#driver;
  }

  /** Asked anew after an await, where the state may be another one by then. */
  #isState(expected: State): boolean {
    return this.#state === expected;
  }

  async #step(call: () => Promise<void>): Promise<void> {
    this.#busy = true;
    try {
      await driverCall(call);
    } catch (error) {
      if (this.#state === 'open' || this.#state === 'preparing') this.#state = 'failed';
      // Whatever is tried next on this claim would fail too (law 4), and what the session knows is no longer so (law 5).
      if (isEosError(error, 'EOS_FENCED') || isEosError(error, 'EOS_POSITION_REGRESSED'))
        this.session.die(error);
      throw error;
    } finally {
      this.#busy = false;
    }
  }
}
