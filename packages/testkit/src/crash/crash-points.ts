import type {
  ChangeBatch,
  CommitRange,
  PartitionId,
  RecoverOptions,
  Sink,
  SinkConnector,
  SinkSession,
  SinkTransaction,
} from '@eos/core';

/**
 * The places at which a writer can be stopped, in the order of a transaction. `write:between` lies between the halves of a batch
 * (of two rows or more); `commit:during` is reached when the commit was called and has not answered: the request is under way.
 */
export const CRASH_POINTS = [
  'recover:before',
  'recover:after',
  'begin:before',
  'begin:after',
  'write:before',
  'write:between',
  'write:after',
  'prepare:before',
  'prepare:after',
  'commit:before',
  'commit:during',
  'commit:after',
] as const;

export type CrashPoint = (typeof CRASH_POINTS)[number];

/**
 * Called at every point, and awaited: what it throws is thrown by the call of the port, and while its promise is pending the
 * writer stands still there.
 * @param count how many times this point was reached, this time included, by all sinks of the connector
 */
export type OnCrashPoint = (point: CrashPoint, count: number) => void | Promise<void>;

/**
 * The same connector, whose sinks stop by at every {@link CrashPoint}.
 * @example
 * const connector = withCrashPoints(postgresSink(options), async (point, count) => {
 *   if (point === 'commit:before' && count === 3) proxy.arm({ on: 'answer', do: 'cut' });
 * });
 */
export function withCrashPoints<Row>(
  connector: SinkConnector<Row>,
  onPoint: OnCrashPoint,
): SinkConnector<Row> {
  const counts = new Map<CrashPoint, number>();
  const visit: Visit = async (point) => {
    const count = (counts.get(point) ?? 0) + 1;
    counts.set(point, count);
    await onPoint(point, count);
  };
  return {
    description: connector.description,
    capabilities: connector.capabilities,
    open: async (context) => stoppingSink(await connector.open(context), visit),
  };
}

type Visit = (point: CrashPoint) => Promise<void>;

function stoppingSink<Row>(sink: Sink<Row>, visit: Visit): Sink<Row> {
  return {
    capabilities: sink.capabilities,
    positions: (partitions) => sink.positions(partitions),
    async recover(partitions: readonly PartitionId[], options?: RecoverOptions) {
      await visit('recover:before');
      const session = await sink.recover(partitions, options);
      await visit('recover:after');
      return stoppingSession(session, visit);
    },
    close: () => sink.close(),
  };
}

function stoppingSession<Row>(session: SinkSession<Row>, visit: Visit): SinkSession<Row> {
  // A runner begins the next transaction once it has called commit: here that is only when the stop before it is over.
  const gate: CommitGate = { arriving: Promise.resolve() };
  return {
    owner: session.owner,
    get positions() {
      return session.positions;
    },
    async begin() {
      await visit('begin:before');
      await gate.arriving.catch(() => undefined);
      const transaction = await session.begin();
      await visit('begin:after');
      return stoppingTransaction(transaction, gate, visit);
    },
    close: () => session.close(),
  };
}

interface CommitGate {
  arriving: Promise<void>;
}

function stoppingTransaction<Row>(
  transaction: SinkTransaction<Row>,
  gate: CommitGate,
  visit: Visit,
): SinkTransaction<Row> {
  return {
    id: transaction.id,
    get rejected() {
      return transaction.rejected;
    },
    async write(batch) {
      await visit('write:before');
      const [first, second] = halves(batch);
      await transaction.write(first);
      if (second !== undefined) {
        await visit('write:between');
        await transaction.write(second);
      }
      await visit('write:after');
    },
    async prepare() {
      await visit('prepare:before');
      await transaction.prepare();
      await visit('prepare:after');
    },
    async commit(range: CommitRange) {
      gate.arriving = visit('commit:before');
      await gate.arriving;
      const committed = transaction.commit(range);
      // Handled below, once the visit is over.
      committed.catch(() => undefined);
      await untilSent();
      await visit('commit:during');
      await committed;
      await visit('commit:after');
    },
    rollback: () => transaction.rollback(),
  };
}

/** Long enough for a driver to hand its request to the system, and too short for most answers. */
function untilSent(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function halves<Row>(batch: ChangeBatch<Row>): [ChangeBatch<Row>, ChangeBatch<Row>?] {
  const { rows, ops, offsets, partition } = batch;
  if (rows.length < 2) return [batch];
  const middle = rows.length >> 1;
  const part = (start: number, end: number): ChangeBatch<Row> => ({
    rows: rows.slice(start, end),
    partition,
    ...(ops === undefined ? {} : { ops: ops.subarray(start, end) }),
    ...(offsets === undefined ? {} : { offsets: offsets.subarray(start, end) }),
  });
  return [part(0, middle), part(middle, rows.length)];
}
