import { isEosError } from '@eos/core';
import type {
  Advance,
  ChangeBatch,
  CommitRange,
  EarlierClaim,
  EosError,
  EosErrorCode,
  PartitionId,
  Position,
  Positions,
  Sink,
  SinkCapabilities,
  SinkConnector,
  SinkSession,
  SinkTransaction,
  SourceIdentity,
} from '@eos/core';
import { compareRows } from '../oracle/compare-rows.js';
import type { Destination, Route } from './destination.js';
import type { TestRunner } from './runner-port.js';
import { conformanceKey, normalRow, type ConformanceRow, type FoundRow } from './schema.js';
import { sampleRow } from './workload.js';

export type TestSink = Sink<ConformanceRow>;
export type TestSession = SinkSession<ConformanceRow>;
export type TestTransaction = SinkTransaction<ConformanceRow>;

/** Rows with the ids from `first` up to, not including, `end`; offsets are the ids, and the position moves to `end`. */
export type Span = readonly [first: number, end: number];

/** The rows of a transaction, by partition. */
export type Spans = Readonly<Record<PartitionId, Span>>;

export interface OpenOptions {
  readonly pipeline?: string;
  readonly sink?: string;
  readonly route?: Route;
}

/** What positions of the suite's own source say they count in: nested, so that a store has to keep more than a word. */
export const SOURCE = {
  kind: 'conformance',
  id: '9007199254740993',
  parts: [1, { name: 'quote " and \\ backslash' }],
};

/** The same for one partition and offset: no two positions of a test count in the same. */
export function sourceAt(partition: PartitionId, offset: bigint): SourceIdentity {
  return { ...SOURCE, partition, offset: offset.toString() };
}

/** A destination of one test's own, and what tests do and check in words. */
export class World {
  readonly capabilities: SinkCapabilities;
  readonly #opened: TestSink[] = [];

  constructor(
    readonly destination: Destination,
    readonly expect: TestRunner['expect'],
  ) {
    this.capabilities = destination.connector('direct').capabilities;
  }

  /** Opens a sink, which is closed when the test ends. */
  async open({
    pipeline = 'pipeline',
    sink = 'sink',
    route = 'direct',
  }: OpenOptions = {}): Promise<TestSink> {
    return await this.openFrom(this.destination.connector(route), { pipeline, sink });
  }

  async openFrom(
    connector: SinkConnector<ConformanceRow>,
    { pipeline = 'pipeline', sink = 'sink' }: OpenOptions = {},
  ): Promise<TestSink> {
    const opened = await connector.open({ pipeline, sink });
    this.#opened.push(opened);
    return opened;
  }

  /** A sink of its own with a first claim on some partitions. */
  async claim(partitions: readonly PartitionId[] = ['0'], options: OpenOptions = {}): Promise<TestSession> {
    const sink = await this.open(options);
    return await sink.recover(partitions);
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#opened.map((sink) => sink.close()));
    await this.destination.close();
  }

  /** Begins a transaction and writes rows. */
  async write(session: TestSession, spans: Spans): Promise<TestTransaction> {
    const transaction = await session.begin();
    for (const [partition, span] of Object.entries(spans))
      await transaction.write(spanBatch(partition, span));
    return transaction;
  }

  async prepare(session: TestSession, spans: Spans): Promise<TestTransaction> {
    const transaction = await this.write(session, spans);
    await transaction.prepare();
    return transaction;
  }

  async commit(session: TestSession, spans: Spans): Promise<TestTransaction> {
    const transaction = await this.prepare(session, spans);
    await transaction.commit(this.range(session, spans));
    return transaction;
  }

  /** From the session's positions to the ends of the spans. */
  range(session: TestSession, spans: Spans): CommitRange {
    const from = new Map<PartitionId, Position>();
    const to = new Map<PartitionId, Advance>();
    for (const [partition, [, end]] of Object.entries(spans)) {
      from.set(partition, positionOf(session.positions, partition));
      const offset = BigInt(end);
      to.set(partition, { offset, source: sourceAt(partition, offset) });
    }
    return { from, to };
  }

  /** Readers see exactly the rows of these spans. */
  async expectSpans(...spans: readonly Span[]): Promise<void> {
    await this.expectRows(spans.flatMap(spanRows));
  }

  /** Readers see exactly these rows. */
  async expectRows(expected: readonly FoundRow[]): Promise<void> {
    this.expectSame(expected, await this.destination.rows());
  }

  /** What was set aside, as `partition@offset`; nothing where the sink keeps no dead letters. */
  async letters(): Promise<string[]> {
    const found = (await this.destination.deadLetters?.()) ?? [];
    return found.map(({ partition, offset }) => `${partition}@${offset}`).sort();
  }

  /** The rows are these, in any order. */
  expectSame(expected: readonly FoundRow[], found: readonly FoundRow[]): void {
    const options = this.capabilities.changelog === 'upsert' ? { key: conformanceKey } : {};
    const comparison = compareRows(expected.map(normalRow), found.map(normalRow), options);
    const { lost, duplicated, wrong, examples } = comparison;
    this.expect({ lost, duplicated, wrong, examples }).toEqual({
      lost: 0,
      duplicated: 0,
      wrong: 0,
      examples: [],
    });
  }

  /** The position has these values, among others. */
  expectPosition(positions: Positions, partition: PartitionId, expected: Partial<Position>): void {
    const found = positions.get(partition);
    const compared: Record<string, unknown> = {};
    for (const name of Object.keys(expected))
      compared[name] = found === undefined ? undefined : Reflect.get(found, name);
    this.expect({ partition, ...compared }).toEqual({ partition, ...expected });
  }

  /** The call fails with this code (or one of these). Returns the error. */
  async expectCode(call: Promise<unknown>, ...codes: readonly EosErrorCode[]): Promise<EosError> {
    const error = await failureOf(call);
    if (!isEosError(error)) {
      this.expect(error === undefined ? 'success' : error).toEqual(codes.join(' or '));
      throw new Error('unreachable: a failed expectation throws');
    }
    this.expect({
      code: codes.includes(error.code) ? codes.join(' or ') : error.code,
      message: error.message,
    }).toEqual({
      code: codes.join(' or '),
      message: error.message,
    });
    return error;
  }

  /** Rejected by another claim: nothing of it happened, and trying again is no use. */
  async expectFenced(call: Promise<unknown>): Promise<void> {
    const { retryable, outcome } = await this.expectCode(call, 'EOS_FENCED');
    this.expect({ retryable, outcome }).toEqual({ retryable: false, outcome: 'aborted' });
  }

  /**
   * A session that lost its claim gets nowhere: it is told so at once, or, where its successor has cut its connection, as soon
   * as it tries to recover.
   */
  async expectLost(session: TestSession, call: Promise<unknown>): Promise<void> {
    const failure = await failureOf(call);
    if (!isCutOff(failure)) {
      await this.expectFenced(call);
      return;
    }
    const replacing = new Map<PartitionId, EarlierClaim>();
    for (const [partition, { epoch }] of session.positions) {
      replacing.set(partition, { owners: new Set([session.owner]), epoch });
    }
    const sink = await this.open();
    await this.expectFenced(sink.recover([...replacing.keys()], { replacing }));
  }

  /** The commit's answer is lost. */
  async expectUnknown(call: Promise<unknown>): Promise<void> {
    const { retryable, outcome } = await this.expectCode(call, 'EOS_UNKNOWN_OUTCOME');
    this.expect({ retryable, outcome }).toEqual({ retryable: true, outcome: 'unknown' });
  }
}

/** What a promise was rejected with; undefined where it was not. */
export async function failureOf(call: Promise<unknown>): Promise<unknown> {
  try {
    await call;
    return undefined;
  } catch (error) {
    return error ?? new Error('rejected with nothing');
  }
}

/** The connection was gone: who came later may have cut it. */
export function isCutOff(failure: unknown): boolean {
  return isEosError(failure) && CUT_OFF.has(failure.code) && failure.retryable;
}

const CUT_OFF: ReadonlySet<EosErrorCode> = new Set([
  'EOS_UNAVAILABLE',
  'EOS_UNKNOWN_OUTCOME',
  'EOS_SESSION_DEAD',
]);

/** The position of a partition that a test knows to be there. */
export function positionOf(positions: Positions, partition: PartitionId): Position {
  const position = positions.get(partition);
  if (position === undefined) throw new Error(`no position of partition ${partition}`);
  return position;
}

export function spanRows([first, end]: Span): ConformanceRow[] {
  return Array.from({ length: end - first }, (_, index) => sampleRow(first + index));
}

export function spanBatch(partition: PartitionId, span: Span): ChangeBatch<ConformanceRow> {
  const rows = spanRows(span);
  return { partition, rows, offsets: BigInt64Array.from(rows, ({ id }) => BigInt(id)) };
}
