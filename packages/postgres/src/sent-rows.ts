/** Which row the server means when it names a line of a COPY. */
import { EosError, type ChangeBatch, type PartitionId } from '@eos/core';
import { isServerError, mapError } from './error-map.js';
import type { RowRange } from './row-sender.js';
import { shorten } from './refuse.js';

/** Where a row came from. */
interface RowPlace {
  readonly partition: PartitionId;
  readonly offset?: bigint;
}

interface Sent {
  readonly partition: PartitionId;
  readonly offsets: BigInt64Array | undefined;
  /** Line of its first row, counted from 1. */
  readonly first: number;
  readonly count: number;
}

/**
 * The server can only be behind by what the buffers on the way hold, so that the places of the latest lines will do: memory
 * stays bounded in a transaction of any size.
 */
const KEPT_LINES = 500_000;

export interface SentRows {
  /** Remembers rows that are sent, one line each, in order. */
  add<Row>(rows: RowRange<Row>): void;
  /** The error of a COPY into `table`, with the row that it was about where the server has named its line. */
  explain(error: unknown, table: string): EosError;
}

export function sentRows(): SentRows {
  const batches: Sent[] = [];
  let lines = 0;
  let kept = 0;

  function find(line: number): RowPlace | undefined {
    const batch = batches.find(({ first, count }) => line >= first && line < first + count);
    if (batch === undefined) return undefined;
    const offset = batch.offsets?.[line - batch.first];
    return { partition: batch.partition, ...(offset === undefined ? {} : { offset }) };
  }

  return {
    add({ batch: { rows, partition, offsets }, places }) {
      const count = places?.length ?? rows.length;
      // A copy: the caller may use the array again.
      batches.push({ partition, offsets: pick(offsets, places), first: lines + 1, count });
      lines += count;
      kept += count;
      while (batches.length > 1 && kept - (batches[0]?.count ?? 0) >= KEPT_LINES)
        kept -= batches.shift()?.count ?? 0;
    },
    explain(error, table) {
      const mapped = mapError(error);
      if (!isServerError(error) || mapped.code !== 'EOS_ROW') return mapped;
      const context = error.where?.split('\n').find((text) => text.startsWith(`COPY ${table}, `));
      const line = /\d+/.exec(context?.slice(`COPY ${table}, `.length) ?? '')?.[0];
      return placed(mapped, line === undefined ? undefined : find(Number(line)), context);
    },
  };
}

function pick(
  offsets: BigInt64Array | undefined,
  places: Uint32Array | undefined,
): BigInt64Array | undefined {
  if (offsets === undefined || places === undefined) return offsets?.slice();
  return BigInt64Array.from(places, (place) => offsets[place] ?? 0n);
}

/** The same error, saying which row it was about. */
function placed(error: EosError, place: RowPlace | undefined, context?: string): EosError {
  const { code, retryable, outcome, cause, details } = error;
  const where = place === undefined ? '' : `${describe(place)}: `;
  const message = `${where}${error.message}${context === undefined ? '' : ` (${shorten(context, 200)})`}`;
  return new EosError(code, message, {
    retryable,
    outcome,
    cause: cause ?? error,
    details: { ...details, ...place },
  });
}

/** An error of the row at `index` of a batch, saying where that came from. */
export function placedIn<Row>(
  error: EosError,
  { partition, offsets }: ChangeBatch<Row>,
  index: number,
): EosError {
  const offset = offsets?.[index];
  return placed(error, offset === undefined ? { partition } : { partition, offset });
}

function describe({ partition, offset }: RowPlace): string {
  return offset === undefined ? `partition ${partition}` : `partition ${partition}, offset ${offset}`;
}
