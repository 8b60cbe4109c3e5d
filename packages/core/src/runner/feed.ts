/**
 * The way of the rows from a reader to a transaction: drops what was committed already, applies the transform, and reads one batch
 * ahead while the sink writes.
 */
import type { ChangeBatch } from '../changes.js';
import type { ChangelogMode } from '../changelog.js';
import { EosError, isEosError, messageOf } from '../errors.js';
import type { PartitionId } from '../identifiers.js';
import type { Positions } from '../positions.js';
import type { SourceBatch, SourceReader } from '../source.js';

/**
 * What a transform returns: rows, which are all `+I`, or rows with as many ops (needed where the source batch has ops), with the
 * offsets they came from where it keeps them.
 */
export type Transformed<Row> =
  | readonly Row[]
  | { readonly rows: readonly Row[]; readonly ops?: Uint8Array; readonly offsets?: BigInt64Array };

/** Maps a batch. Where a batch begins and ends means nothing: the same rows must give the same result however they are cut. */
export type Transform<In, Row> = (batch: SourceBatch<In>) => Transformed<Row> | Promise<Transformed<Row>>;

/** A batch on its way to the sink, with the source batch it was made of. */
export interface FedBatch<Row> {
  readonly source: SourceBatch<unknown>;
  readonly changes: ChangeBatch<Row>;
}

export class Feed<In, Row> {
  readonly #expected = new Map<PartitionId, bigint>();
  #reading: Promise<void> | undefined;
  #next: FedBatch<Row> | 'end' | undefined;
  #failure: EosError | undefined;
  #isClosed = false;

  constructor(
    private readonly reader: SourceReader<In>,
    private readonly transform: Transform<In, Row>,
    private readonly changelog: ChangelogMode,
    positions: Positions,
    private readonly onReady: () => void,
  ) {
    for (const [partition, { offset }] of positions)
      if (offset !== null) this.#expected.set(partition, offset);
  }

  /** Starts reading at most `rows` rows, unless a batch is on its way or waits to be taken. */
  request(rows: number): void {
    if (this.#reading !== undefined || this.#next !== undefined || this.#failure !== undefined) return;
    this.#reading = this.#read(rows);
  }

  /**
   * The batch that was read, `end` at the end of the assignment, undefined while there is none yet.
   * @throws what reading or transforming threw
   */
  take(): FedBatch<Row> | 'end' | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    const next = this.#next;
    if (next !== 'end') this.#next = undefined;
    return next;
  }

  /** Closes the reader and waits for what is under way, so that no transform runs on beside the next attempt's. */
  async close(): Promise<void> {
    this.#isClosed = true;
    try {
      await this.reader.close();
    } catch {
      // What was to be read is read again, or not wanted any more.
    }
    await this.#reading;
  }

  async #read(rows: number): Promise<void> {
    try {
      const batch = await this.#readFresh(rows);
      this.#next = batch === undefined ? 'end' : await transformed(batch, this.transform, this.changelog);
    } catch (error) {
      this.#failure = sourceError(error);
    }
    this.#reading = undefined;
    this.onReady();
  }

  async #readFresh(rows: number): Promise<SourceBatch<In> | undefined> {
    for (;;) {
      if (this.#isClosed) return undefined;
      const batch = await this.reader.read({ rows });
      if (batch === undefined) return undefined;
      const fresh = dropCommitted(batch, this.#expected.get(batch.partition));
      if (fresh === undefined) continue;
      this.#expected.set(batch.partition, fresh.next);
      return fresh;
    }
  }
}

/**
 * What the transform makes of a batch.
 * @throws EOS_TRANSFORM, or the EosError that the transform threw
 */
export async function transformed<In, Row>(
  source: SourceBatch<In>,
  transform: Transform<In, Row>,
  changelog: ChangelogMode,
): Promise<FedBatch<Row>> {
  let result: Transformed<Row>;
  try {
    result = await transform(source);
  } catch (error) {
    if (isEosError(error)) throw error;
    throw transformError(source, `threw: ${messageOf(error)}`, error);
  }
  return { source, changes: asChanges(result, source, changelog) };
}

/**
 * Checks that offsets ascend, and drops the rows below `expected`: they are in the destination already (a source that can only
 * start earlier than asked, or that repeats itself). Undefined where nothing is left, not even a way forward.
 * @throws EOS_SOURCE_ORDER
 */
export function dropCommitted<Row>(
  batch: SourceBatch<Row>,
  expected: bigint | undefined,
): SourceBatch<Row> | undefined {
  const { offsets, partition, rows } = batch;
  const last = offsets.at(-1);
  checkAscending(offsets, partition);
  if (offsets.length !== rows.length || (last !== undefined && batch.next <= last)) {
    throw new EosError(
      'EOS_SOURCE_ORDER',
      `a batch of partition ${partition} needs an offset for each row, and its next behind them`,
      {
        details: { partition },
      },
    );
  }
  if (expected === undefined) return batch;
  if (batch.next <= expected) return undefined;
  const first = offsets.at(0);
  if (first === undefined || first >= expected) return batch;
  let dropped = 0;
  while (dropped < offsets.length && (offsets[dropped] ?? expected) < expected) dropped++;
  return {
    partition,
    rows: rows.slice(dropped),
    offsets: offsets.subarray(dropped),
    ...(batch.ops === undefined ? {} : { ops: batch.ops.subarray(dropped) }),
    next: batch.next,
    bytes: batch.bytes,
    identity: () => batch.identity(),
  };
}

function checkAscending(offsets: BigInt64Array, partition: PartitionId): void {
  for (let index = 1; index < offsets.length; index++) {
    if ((offsets[index] ?? 0n) >= (offsets[index - 1] ?? 0n)) continue;
    throw new EosError(
      'EOS_SOURCE_ORDER',
      `partition ${partition} handed out offset ${String(offsets[index])} after ${String(offsets[index - 1])}`,
      { details: { partition, offset: offsets[index] } },
    );
  }
}

function asChanges<Row>(
  result: Transformed<Row>,
  source: SourceBatch<unknown>,
  changelog: ChangelogMode,
): ChangeBatch<Row> {
  const { partition } = source;
  const made = isRows(result) ? { rows: result } : result;
  // A transform written in JavaScript may return anything.
  if (!isRows((made as { rows?: unknown } | undefined)?.rows)) {
    throw transformError(source, 'returned neither rows nor { rows }');
  }
  const { rows, ops, offsets }: Exclude<Transformed<Row>, readonly Row[]> = made;
  if (ops === undefined && source.ops !== undefined && changelog !== 'append') {
    throw transformError(source, 'returned rows without the ops of its batch: return { rows, ops }');
  }
  return {
    partition,
    rows,
    ...(ops === undefined ? {} : { ops }),
    ...(offsets === undefined ? {} : { offsets }),
  };
}

function isRows(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function transformError(source: SourceBatch<unknown>, problem: string, cause?: unknown): EosError {
  const { partition, offsets } = source;
  const [from, to] = [offsets.at(0), source.next];
  return new EosError(
    'EOS_TRANSFORM',
    `the transform ${problem} (partition ${partition}, offsets ${String(from)} to ${String(to)})`,
    {
      cause,
      details: { partition, from, to },
    },
  );
}

/** What a source threw, as an error that is worth another try. */
export function sourceError(error: unknown): EosError {
  if (isEosError(error)) return error;
  return new EosError('EOS_SOURCE_UNAVAILABLE', `the source could not be read: ${messageOf(error)}`, {
    cause: error,
    retryable: true,
  });
}
