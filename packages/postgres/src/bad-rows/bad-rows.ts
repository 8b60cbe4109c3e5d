/** What becomes of bad rows: those of one transaction, as they are found. */
import { EosError, OP_NAMES, type ChangeBatch, type PartitionId, type RejectedRows } from '@eos/core';
import { rowJson } from './row-json.js';

/**
 * - `fail`: the first bad row stops the pipeline.
 * - `dead-letter`: it goes into a table, in the same transaction as the good rows and the position.
 * - `skip`: it is dropped, and counted.
 */
export const BAD_ROWS = ['fail', 'dead-letter', 'skip'] as const;

export type BadRows = (typeof BAD_ROWS)[number];

/** Sets a row aside, for this reason. */
export type Reject<Row> = (error: EosError, batch: ChangeBatch<Row>, index: number) => void;

/** A bad row as it is kept. */
export interface Letter {
  readonly partition: PartitionId;
  readonly offset: bigint | undefined;
  readonly op: string;
  readonly row: string;
  readonly types: string | undefined;
  readonly error: EosError;
}

/** The bad rows of one transaction. */
export interface Rejections<Row> {
  readonly reject: Reject<Row>;
  /** How many there are so far. */
  readonly count: number;
  /** Set once there were too many: what the transaction fails with. */
  readonly failure: EosError | undefined;
  /** Forgets those behind the first `count`: their rows are tried again. */
  backTo(count: number): void;
  /** Those that were not taken yet. */
  take(): readonly Letter[];
  summary(): RejectedRows;
}

const EXAMPLES = 10;

/**
 * Memory: as many letters as the limit allows and as were not taken; with `skip` only the first errors.
 * @param limit how many a transaction may have; one more fails it
 */
export function rejections<Row>(policy: Exclude<BadRows, 'fail'>, limit: number): Rejections<Row> {
  let places: PartitionId[] = [];
  let letters: Letter[] = [];
  let taken = 0;
  let examples: EosError[] = [];
  let failure: EosError | undefined;
  return {
    get count() {
      return places.length;
    },
    get failure() {
      return failure;
    },
    reject(error, batch, index) {
      if (places.length >= limit) throw (failure = tooMany(error, limit));
      const { partition } = batch;
      places.push(partition);
      if (examples.length < EXAMPLES) examples.push(error);
      if (policy === 'dead-letter') letters.push(letterOf(error, batch, index));
    },
    backTo(count) {
      places = places.slice(0, count);
      letters = letters.slice(0, Math.max(0, count - taken));
      examples = examples.slice(0, count);
    },
    take() {
      const all = letters.sort(byPlace);
      taken += all.length;
      letters = [];
      return all;
    },
    summary() {
      const counts = new Map<PartitionId, number>();
      for (const partition of places) counts.set(partition, (counts.get(partition) ?? 0) + 1);
      return { counts, examples: [...examples] };
    },
  };
}

/** In the order in which they came: a replay keeps it. Those that the server rejected were found later than others. */
function byPlace(left: Letter, right: Letter): number {
  if (left.partition !== right.partition) return left.partition < right.partition ? -1 : 1;
  if (left.offset === undefined || right.offset === undefined || left.offset === right.offset) return 0;
  return left.offset < right.offset ? -1 : 1;
}

/** What several writers of one transaction have set aside. */
export function joined(parts: readonly RejectedRows[]): RejectedRows {
  const counts = new Map<PartitionId, number>();
  for (const part of parts) {
    for (const [partition, count] of part.counts) counts.set(partition, (counts.get(partition) ?? 0) + count);
  }
  return { counts, examples: parts.flatMap(({ examples }) => examples).slice(0, EXAMPLES) };
}

function letterOf<Row>(
  error: EosError,
  { partition, rows, ops, offsets }: ChangeBatch<Row>,
  index: number,
): Letter {
  const op = OP_NAMES[ops?.[index] ?? 0] ?? '+I';
  return { partition, offset: offsets?.[index], op, ...rowJson(rows[index]), error };
}

function tooMany(last: EosError, limit: number): EosError {
  const message =
    `more than ${limit} bad rows in one transaction: nothing of it is written. Look at what the rows have in common, or raise ` +
    `maxBadRows. The last one: ${last.message}`;
  return new EosError('EOS_ROW', message, {
    cause: last,
    details: { ...last.details, option: 'maxBadRows' },
  });
}
