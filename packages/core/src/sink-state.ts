/** The states of a sink, its sessions and their transactions. */
import type { ChangeBatch } from './changes.js';
import type { DriverCommit, SessionDriver, SinkDriver, TransactionDriver } from './define-sink.js';
import { EosError, isEosError, messageOf } from './errors.js';
import { randomId, type Owner, type PartitionId, type TxId } from './identifiers.js';
import { nextPosition, type Advances, type Position, type Positions } from './positions.js';
import type {
  CommitRange,
  RecoverOptions,
  Sink,
  SinkCapabilities,
  SinkSession,
  SinkTransaction,
} from './sink.js';

export function openSink<Row>(capabilities: SinkCapabilities, driver: SinkDriver<Row>): Sink<Row> {
  return new OpenSink(capabilities, driver);
}

class OpenSink<Row> implements Sink<Row> {
  #closed = false;
  readonly #sessions = new Set<OpenSession<Row>>();

  constructor(
    readonly capabilities: SinkCapabilities,
    readonly driver: SinkDriver<Row>,
  ) {}

  async positions(): Promise<Positions> {
    this.#checkOpen();
    return await translated(this.driver.positions());
  }

  async recover(partitions: readonly PartitionId[], options: RecoverOptions = {}): Promise<SinkSession<Row>> {
    this.#checkOpen();
    const distinct = [...new Set(partitions)].sort();
    if (distinct.length === 0) throw new EosError('EOS_RANGE', 'recover needs at least one partition');
    const owner = options.owner ?? randomId();
    const claim = {
      partitions: distinct,
      owner,
      replacing: options.replacing ?? new Map<PartitionId, never>(),
    };
    const driver = await translated(this.driver.recover(claim));
    const session = new OpenSession(this.capabilities, driver, owner, () => this.#sessions.delete(session));
    this.#sessions.add(session);
    if (this.#closed) await session.close();
    checkClaimed(distinct, owner, driver.positions);
    return session;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled([...this.#sessions].map((session) => session.close()));
    await this.driver.close();
  }

  #checkOpen(): void {
    if (this.#closed) throw new EosError('EOS_CLOSED', 'the sink is closed');
  }
}

function checkClaimed(partitions: readonly PartitionId[], owner: Owner, positions: Positions): void {
  const fits =
    positions.size === partitions.length && partitions.every((name) => positions.get(name)?.owner === owner);
  if (!fits)
    throw new EosError(
      'EOS_CONFORMANCE',
      'recover must return the position of each claimed partition, with its new owner',
    );
}

class OpenSession<Row> implements SinkSession<Row> {
  #positions: Map<PartitionId, Position>;
  #death: EosError | undefined;
  #closed = false;
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
    const busy = [...this.#open].find((other) => !(this.capabilities.staging && other.isCommitting));
    if (busy !== undefined || this.#open.size > 1) {
      throw new EosError(
        'EOS_TRANSACTION_OPEN',
        'commit or roll back the open transaction before the next one begins',
      );
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

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await Promise.allSettled([...this.#open].map((transaction) => transaction.rollback()));
    this.onClose();
    await this.driver.close();
  }

  /** @throws EOS_CLOSED, EOS_SESSION_DEAD */
  checkAlive(): void {
    if (this.#closed) throw new EosError('EOS_CLOSED', 'the session is closed');
    if (this.#death === undefined) return;
    const message = `the session is dead (${this.#death.code}): call recover for a new one`;
    throw new EosError('EOS_SESSION_DEAD', message, { cause: this.#death, retryable: this.#death.retryable });
  }

  /** After a failed commit nothing that this session knows is certain any more. */
  die(reason: EosError): void {
    this.#death ??= reason;
  }

  get hasEarlierCommit(): boolean {
    return [...this.#open].some((other) => other.isCommitting);
  }

  ended(transaction: OpenTransaction<Row>): void {
    this.#open.delete(transaction);
  }

  advance(next: Positions): void {
    for (const [partition, position] of next) this.#positions.set(partition, position);
  }
}

/** `failed`: a step before commit threw, only rollback is left. `unsettled`: the commit threw, the destination knows what became of it. */
type State = 'open' | 'prepared' | 'failed' | 'committing' | 'committed' | 'unsettled' | 'rolled back';

const ROLLBACK_STATES: ReadonlySet<State> = new Set(['open', 'prepared', 'failed']);

class OpenTransaction<Row> implements SinkTransaction<Row> {
  #state: State = 'open';
  #busy = false;
  #driver: TransactionDriver<Row> | undefined;
  readonly #written = new Set<PartitionId>();

  constructor(
    private readonly session: OpenSession<Row>,
    readonly id: TxId,
  ) {}

  get isCommitting(): boolean {
    return this.#state === 'committing';
  }

  async start(): Promise<void> {
    this.#driver = await translated(this.session.driver.begin(this.id));
  }

  async write(batch: ChangeBatch<Row>): Promise<void> {
    const driver = this.#enter('write', 'open');
    checkBatch(batch, this.session.positions);
    if (batch.rows.length === 0) return;
    this.#written.add(batch.partition);
    await this.#step(driver.write(batch));
  }

  async prepare(): Promise<void> {
    const driver = this.#enter('prepare', 'open');
    if (this.session.hasEarlierCommit) {
      throw new EosError(
        'EOS_TRANSACTION_OPEN',
        'prepare must wait until the earlier commit of the session was acknowledged',
      );
    }
    await this.#step(driver.prepare());
    // A rollback may have come in between.
    if (this.#state === 'open') this.#state = 'prepared';
  }

  async commit(range: CommitRange): Promise<void> {
    const driver = this.#enter('commit', 'prepared');
    const commit = this.#checkRange(range);
    this.#state = 'committing';
    try {
      await driver.commit(commit);
    } catch (error) {
      this.#state = 'unsettled';
      this.session.ended(this);
      const failure = commitFailure(error);
      this.session.die(failure);
      throw failure;
    }
    this.#state = 'committed';
    this.session.ended(this);
    this.session.advance(commit.next);
  }

  async rollback(): Promise<void> {
    // Nothing is left to roll back once a commit request was sent: its outcome is the destination's to tell (law 3).
    if (!ROLLBACK_STATES.has(this.#state)) return;
    this.#state = 'rolled back';
    this.session.ended(this);
    // A connection that broke has rolled back by itself; the session's close frees what is left.
    await this.#driver?.rollback().catch((error: unknown) => this.session.die(asEosError(error)));
  }

  #enter(call: string, expected: State): TransactionDriver<Row> {
    this.session.checkAlive();
    if (this.#state !== expected || this.#driver === undefined) {
      throw new EosError(
        'EOS_STATE',
        `${call} needs a transaction that is ${expected}; this one is ${this.#state}`,
      );
    }
    if (this.#busy)
      throw new EosError('EOS_STATE', `${call} was called before the last call on the transaction had ended`);
    return this.#driver;
  }

  async #step(call: Promise<void>): Promise<void> {
    this.#busy = true;
    try {
      await translated(call);
    } catch (error) {
      if (this.#state === 'open') this.#state = 'failed';
      throw error;
    } finally {
      this.#busy = false;
    }
  }

  #checkRange({ from, to }: CommitRange): DriverCommit {
    if (to.size === 0 || from.size !== to.size) {
      throw new EosError('EOS_RANGE', 'from and to must name the same partitions, at least one');
    }
    for (const partition of this.#written) {
      if (!to.has(partition)) {
        throw new EosError(
          'EOS_RANGE',
          `rows of partition ${partition} were written, but the range does not move it`,
          {
            details: { partition },
          },
        );
      }
    }
    return {
      from,
      next: nextPositions(from, to, this.session.positions, this.id),
      hasRows: this.#written.size > 0,
    };
  }
}

function nextPositions(from: Positions, to: Advances, current: Positions, id: TxId): Positions {
  const next = new Map<PartitionId, Position>();
  for (const [partition, advance] of to) {
    const start = from.get(partition);
    const held = current.get(partition);
    if (start === undefined || held === undefined) {
      throw new EosError('EOS_RANGE', `partition ${partition} is not claimed by this session`, {
        details: { partition },
      });
    }
    if (start.epoch !== held.epoch || start.owner !== held.owner) {
      throw new EosError('EOS_RANGE', `from is not the session's position of partition ${partition}`, {
        details: { partition },
      });
    }
    if (advance.offset < (start.offset ?? 0n)) {
      const message = `partition ${partition} would go back from offset ${String(start.offset)} to ${String(advance.offset)}`;
      throw new EosError('EOS_RANGE', message, { details: { partition } });
    }
    next.set(partition, nextPosition(start, advance, id));
  }
  return next;
}

function checkBatch<Row>(batch: ChangeBatch<Row>, positions: Positions): void {
  const { rows, ops, offsets, partition } = batch;
  if (!positions.has(partition)) {
    throw new EosError('EOS_RANGE', `partition ${partition} is not claimed by this session`, {
      details: { partition },
    });
  }
  const count = rows.length;
  if ((ops !== undefined && ops.length !== count) || (offsets !== undefined && offsets.length !== count)) {
    throw new EosError('EOS_RANGE', `a batch of ${count} rows needs as many ops and offsets`, {
      details: { partition },
    });
  }
}

/** A failed commit that does not say otherwise may have landed. */
function commitFailure(error: unknown): EosError {
  if (isEosError(error)) return error;
  return new EosError('EOS_UNKNOWN_OUTCOME', `the commit failed without an answer: ${messageOf(error)}`, {
    cause: error,
    outcome: 'unknown',
    retryable: true,
  });
}

function asEosError(error: unknown): EosError {
  if (isEosError(error)) return error;
  return new EosError('EOS_UNAVAILABLE', messageOf(error), { cause: error, retryable: true });
}

async function translated<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw asEosError(error);
  }
}
