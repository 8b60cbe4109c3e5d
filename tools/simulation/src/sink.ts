/** The sink of the simulation: what an author would write for the simulated destination, on the core's own `defineSink`. */
import {
  defineSink,
  EosError,
  isEosError,
  type ChangeBatch,
  type Claim,
  type DriverCommit,
  type EosErrorCode,
  type Outcome,
  type Position,
  type Positions,
  type SessionDriver,
  type SinkConnector,
  type SinkDriver,
  type TransactionDriver,
} from '@eos/core';
import { SessionCalls, type TransactionCalls } from './call-order.js';
import type { Row } from './changelog.js';
import type { ClaimInvariants } from './claim-invariants.js';
import type { CommitInvariants, CommitPart } from './commit-invariants.js';
import type { SentTransaction } from './history.js';
import type { Incarnation } from './incarnation.js';
import { Connection, NoAnswer, NoEffect, type Network, type Step } from './network.js';
import type { Store, WrittenRow } from './store.js';
import type { World } from './world.js';

export interface Destination {
  readonly network: Network;
  readonly store: Store;
  readonly claims: ClaimInvariants;
  readonly commits: CommitInvariants;
}

/** The connector that `process` gives to its pipeline. */
export function simulatedSink(
  world: World,
  destination: Destination,
  process: Incarnation,
): SinkConnector<Row> {
  const { mode, atomic, staging } = world.plan;
  return defineSink<Row>({
    description: 'simulated table',
    capabilities: {
      changelog: mode,
      ...(mode === 'upsert' ? { key: ['key'] } : {}),
      atomic,
      staging,
      deadLetters: false,
      durable: true,
    },
    connect: async () => {
      const driver = new Driver(world, destination, process);
      await driver.call(driver.connection, 'connect', () => undefined);
      return driver;
    },
  });
}

class Driver implements SinkDriver<Row> {
  readonly connection = new Connection();
  #sessions = 0;

  constructor(
    readonly world: World,
    readonly destination: Destination,
    readonly process: Incarnation,
  ) {}

  async positions(partitions?: readonly string[]): Promise<Positions> {
    const { store } = this.destination;
    const all = await this.call(new Connection(), 'positions', () => store.positions);
    const found =
      partitions === undefined ? all : new Map([...all].filter(([name]) => partitions.includes(name)));
    for (const name of partitions ?? []) this.process.knownEpochs.set(name, found.get(name)?.epoch ?? 0n);
    return found;
  }

  async recover(claim: Claim): Promise<SessionDriver<Row>> {
    const { claims } = this.destination;
    const connection = new Connection();
    const sent = claims.sent(this.process, claim);
    try {
      const step: Step<Positions> = (delivery) => claims.step(sent, claim, delivery);
      const positions = await this.call(connection, 'claim', step);
      this.process.learn(positions);
      return new Session(this, connection, `${this.process.name} session ${++this.#sessions}`, positions);
    } catch (error) {
      sent.hadNoEffect = isEosError(error) && error.outcome === 'aborted';
      connection.close('the claim failed');
      throw error;
    }
  }

  async close(): Promise<void> {
    this.connection.close('the sink was closed');
  }

  /** Sends a request; what comes back instead of an answer is put as the author of a sink would. */
  async call<Answer>(connection: Connection, name: string, step: Step<Answer>): Promise<Answer> {
    const { process, world, destination } = this;
    try {
      return await destination.network.send(process, connection, `${process.name} ${name}`, step);
    } catch (error) {
      world.trace(() => `${process.name} ${name} failed: ${String(error)}`);
      const isFenced = isEosError(error, 'EOS_FENCED');
      if (isFenced && (name !== 'claim' || destination.claims.mayHold(process))) process.isFenced = true;
      if (error instanceof NoEffect) throw this.error('EOS_UNAVAILABLE', 'aborted', error);
      if (!(error instanceof NoAnswer) || world.plan.lostAnswers === 'raw') throw error;
      throw this.error(name === 'commit' ? 'EOS_UNKNOWN_OUTCOME' : 'EOS_UNAVAILABLE', 'unknown', error);
    }
  }

  error(code: EosErrorCode, outcome: Outcome, cause: Error): Error {
    return new EosError(code, cause.message, { outcome, cause, retryable: true });
  }
}

class Session implements SessionDriver<Row> {
  readonly #calls: SessionCalls;
  /** As of the last acknowledged commit. */
  readonly current: Map<string, Position>;

  constructor(
    readonly driver: Driver,
    readonly connection: Connection,
    readonly name: string,
    readonly positions: Positions,
  ) {
    this.#calls = new SessionCalls(driver.world, driver.process, name);
    this.current = new Map(positions);
  }

  async begin(id: bigint): Promise<TransactionDriver<Row>> {
    this.#calls.begin();
    if (this.driver.world.plan.isBeginSlow) await this.driver.call(this.connection, 'begin', () => undefined);
    return new Transaction(this, id, this.#calls.began());
  }

  async close(): Promise<void> {
    this.#calls.close();
    this.connection.close('the session was closed');
  }
}

class Transaction implements TransactionDriver<Row> {
  readonly #rows: WrittenRow[] = [];

  constructor(
    private readonly session: Session,
    private readonly id: bigint,
    private readonly calls: TransactionCalls,
  ) {}

  async write({ partition, rows, ops }: ChangeBatch<Row>): Promise<void> {
    this.calls.write();
    await this.session.driver.call(this.session.connection, 'write', () => undefined);
    rows.forEach((row, index) => this.#rows.push({ partition, row, op: ops?.[index] ?? 0 }));
  }

  /** A sink that takes rows back looks whether they are there: only after the earlier commit can it know. */
  async prepare(): Promise<void> {
    this.calls.prepare();
    const { driver, connection, current } = this.session;
    const { store, commits } = driver.destination;
    const from = new Map(
      [...current].filter(([name]) => this.#rows.some(({ partition }) => partition === name)),
    );
    await driver.call(connection, 'prepare', ({ isAwaited }) => {
      try {
        store.check(from, this.#rows);
      } catch (error) {
        if (isAwaited) commits.checkRefusal(driver.process, from, store.positions, error);
        throw error;
      }
    });
    this.calls.prepared();
  }

  async commit(commit: DriverCommit): Promise<void> {
    this.calls.commit();
    const { driver } = this.session;
    const sent = driver.destination.commits.sent(driver.process, this.id, commit);
    try {
      if (driver.world.plan.atomic === 'transaction') await this.#commitPart(sent, commit);
      else await this.#commitEach(sent, commit);
      driver.process.learn(commit.next);
      this.calls.committed();
    } catch (error) {
      this.calls.commitFailed();
      throw error;
    }
  }

  async rollback(): Promise<void> {
    this.calls.rollback();
  }

  async #commitPart(sent: SentTransaction, part: CommitPart): Promise<void> {
    const { driver, connection, current } = this.session;
    const rows = this.#rows.filter(({ partition }) => part.next.has(partition));
    await driver.call(connection, 'commit', (delivery) => {
      driver.destination.commits.step(sent, part, rows, delivery);
    });
    for (const [partition, position] of part.next) current.set(partition, position);
  }

  /** Each partition by itself, side by side. */
  async #commitEach(sent: SentTransaction, { from, next }: CommitPart): Promise<void> {
    const partitions = [...next.keys()];
    const results = await Promise.allSettled(
      partitions.map((partition) =>
        this.#commitPart(sent, { from: only(from, partition), next: only(next, partition) }),
      ),
    );
    const failures = results.flatMap((result): unknown[] =>
      result.status === 'rejected' ? [result.reason] : [],
    );
    if (failures.length === 0) return;
    if (partitions.length === 1) throw failures[0];
    const outcomes = new Map(
      results.map((result, index) => [
        partitions[index] ?? '',
        result.status === 'fulfilled' ? 'committed' : outcomeOf(result.reason),
      ]),
    );
    throw this.#combined(failures, outcomes);
  }

  /** One error for all partitions: what forbids to go on comes first. */
  #combined(failures: readonly unknown[], outcomes: ReadonlyMap<string, Outcome>): Error {
    const known = failures.filter((failure) => isEosError(failure));
    const worst = known.find(({ retryable }) => !retryable) ?? known[0];
    const isUnknown = [...outcomes.values()].includes('unknown');
    return new EosError(worst?.code ?? 'EOS_UNKNOWN_OUTCOME', worst?.message ?? 'no answer', {
      retryable: worst?.retryable ?? true,
      outcome: isUnknown ? 'unknown' : 'aborted',
      outcomes,
      cause: failures[0],
    });
  }
}

function only(positions: Positions, partition: string): Positions {
  const position = positions.get(partition);
  return position === undefined ? new Map<string, Position>() : new Map([[partition, position]]);
}

function outcomeOf(error: unknown): Outcome {
  return isEosError(error) ? error.outcome : 'unknown';
}
