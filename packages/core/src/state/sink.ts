/** The state of a sink: open or closed, and the sessions that it must end. */
import type { SinkDriver } from '../define-sink.js';
import { EosError } from '../errors.js';
import { randomId, type PartitionId } from '../identifiers.js';
import type { Positions } from '../positions.js';
import type { RecoverOptions, Sink, SinkCapabilities, SinkSession } from '../sink.js';
import { checkClaimed } from './checks.js';
import { driverCall } from './driver-errors.js';
import { OpenSession } from './session.js';

export function openSink<Row>(capabilities: SinkCapabilities, driver: SinkDriver<Row>): Sink<Row> {
  return new OpenSink(capabilities, driver);
}

class OpenSink<Row> implements Sink<Row> {
  #closing: Promise<void> | undefined;
  readonly #sessions = new Set<OpenSession<Row>>();

  constructor(
    readonly capabilities: SinkCapabilities,
    readonly driver: SinkDriver<Row>,
  ) {}

  async positions(partitions?: readonly PartitionId[]): Promise<Positions> {
    this.#checkOpen();
    return await driverCall(() => this.driver.positions(partitions));
  }

  async recover(partitions: readonly PartitionId[], options: RecoverOptions = {}): Promise<SinkSession<Row>> {
    this.#checkOpen();
    const distinct = [...new Set(partitions)].sort();
    if (distinct.length === 0) throw new EosError('EOS_RANGE', 'recover needs at least one partition');
    const { owner = randomId(), replacing = new Map<PartitionId, never>() } = options;
    // A claim whose answer was lost may be there: only its author may replace it without being told that it is fenced.
    const driver = await driverCall(
      () => this.driver.recover({ partitions: distinct, owner, replacing }),
      'unknown',
    );
    const session = new OpenSession(this.capabilities, driver, owner, () => this.#sessions.delete(session));
    this.#sessions.add(session);
    try {
      this.#checkOpen();
      checkClaimed(distinct, owner, driver.positions);
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await Promise.allSettled([...this.#sessions].map((session) => session.close()));
    await driverCall(() => this.driver.close());
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new EosError('EOS_CLOSED', 'the sink is closed');
  }
}
