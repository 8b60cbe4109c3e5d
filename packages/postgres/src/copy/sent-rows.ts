/** Which row the server means when it names a line of a COPY. */
import { EosError, type ChangeBatch, type PartitionId } from '@eos/core';
import { isServerError, mapError } from '../connection/error-map.js';
import type { RowRange } from './row-sender.js';
import { shorten } from './refuse.js';

/** Where a row came from. */
interface RowPlace {
  readonly partition: PartitionId;
  readonly offset?: bigint;
}

/**
 * The server can only be behind by what the buffers on the way hold, so that the places of the latest lines will do: 12 bytes each,
 * whatever the size of the transaction and of its batches.
 */
const KEPT_LINES = 524_288;

/** For a transaction of ordinary size, which then costs no more than this. */
const FIRST_LINES = 1_024;

export interface SentRows {
  /** Remembers rows that are sent, one line each, in order. */
  add<Row>(rows: RowRange<Row>): void;
  /** The error of a COPY into `table`, with the row that it was about where the server has named its line. */
  explain(error: unknown, table: string): EosError;
}

export function sentRows(): SentRows {
  const origins = originNumbers();
  // Rings: line n is at n modulo their length, which is a power of two.
  let origin = new Uint32Array(FIRST_LINES);
  let offset = new BigInt64Array(FIRST_LINES);
  let lines = 0;

  function grow(count: number): void {
    let length = origin.length;
    while (length < KEPT_LINES && length < lines + count) length *= 2;
    if (length === origin.length) return;
    // It was never full: what is in it lies at its beginning.
    const [wider, longer] = [new Uint32Array(length), new BigInt64Array(length)];
    wider.set(origin);
    longer.set(offset);
    [origin, offset] = [wider, longer];
  }

  /** @param line counted from 1 */
  function find(line: number): RowPlace | undefined {
    if (line > lines || line <= lines - origin.length) return undefined;
    const at = (line - 1) & (origin.length - 1);
    const { partition, hasOffsets } = origins.of(origin[at] ?? 0);
    return { partition, ...(hasOffsets ? { offset: offset[at] ?? 0n } : {}) };
  }

  return {
    add({ batch: { rows, partition, offsets }, places }) {
      const count = places?.length ?? rows.length;
      grow(count);
      const number = origins.numberOf(partition, offsets !== undefined);
      for (let from = Math.max(0, count - origin.length); from < count;) {
        const at = (lines + from) & (origin.length - 1);
        const end = Math.min(count, from + origin.length - at);
        origin.fill(number, at, at + end - from);
        // Copies: the caller may use the array again.
        if (offsets !== undefined) copyOffsets(offset, at, offsets, places, from, end);
        from = end;
      }
      lines += count;
    },
    explain(error, table) {
      const mapped = mapError(error);
      if (mapped.code !== 'EOS_ROW') return mapped;
      const named = namedLine(error, table);
      return placed(mapped, named && find(named.line), named);
    },
  };
}

function copyOffsets(
  ring: BigInt64Array,
  at: number,
  offsets: BigInt64Array,
  places: Uint32Array | undefined,
  from: number,
  end: number,
): void {
  if (places === undefined) ring.set(offsets.subarray(from, end), at);
  else
    for (let index = from; index < end; index += 1)
      ring[at + index - from] = offsets[places[index] ?? 0] ?? 0n;
}

interface Origin {
  readonly partition: PartitionId;
  readonly hasOffsets: boolean;
}

/** Numbers instead of names: there are few. */
function originNumbers() {
  const known: Origin[] = [];
  const numbers = new Map<PartitionId, [without?: number, having?: number]>();
  return {
    numberOf(partition: PartitionId, hasOffsets: boolean): number {
      const both = numbers.get(partition) ?? [];
      const place = hasOffsets ? 1 : 0;
      const number = (both[place] ??= known.push({ partition, hasOffsets }) - 1);
      numbers.set(partition, both);
      return number;
    },
    of: (number: number): Origin => known[number] ?? { partition: '', hasOffsets: false },
  };
}

/** What the server says of the line of a COPY. */
export interface NamedLine {
  /** Counted from 1. */
  readonly line: number;
  readonly column: string | undefined;
  /** As it says it, such as `COPY flights, line 12, column delay: "x"`. */
  readonly context: string;
}

/** The line that an error of a COPY into `table` is about, where the server names it: it does not for what it checks at the end. */
export function namedLine(error: unknown, table: string): NamedLine | undefined {
  const prefix = `COPY ${table}, `;
  const where = isServerError(error) ? error.where : undefined;
  const context = where?.split('\n').find((text) => text.startsWith(prefix));
  const [, line, column] =
    /^\D*(\d+)(?:, \S+ (.+?)(?:: |$))?/.exec(context?.slice(prefix.length) ?? '') ?? [];
  return context === undefined || line === undefined ? undefined : { line: Number(line), column, context };
}

/** The same error, saying which row it was about. */
function placed(error: EosError, place: RowPlace | undefined, named?: NamedLine): EosError {
  const { code, retryable, outcome, cause, details } = error;
  const where = place === undefined ? '' : `${describe(place)}: `;
  const message = `${where}${error.message}${named === undefined ? '' : ` (${shorten(named.context, 200)})`}`;
  const column = details['column'] ?? named?.column;
  return new EosError(code, message, {
    retryable,
    outcome,
    cause: cause ?? error,
    details: { ...details, ...(column === undefined ? {} : { column }), ...place },
  });
}

/** An error of the row at `index` of a batch, saying where that came from. */
export function placedIn<Row>(
  error: EosError,
  { partition, offsets }: ChangeBatch<Row>,
  index: number,
  named?: NamedLine,
): EosError {
  const offset = offsets?.[index];
  return placed(error, offset === undefined ? { partition } : { partition, offset }, named);
}

function describe({ partition, offset }: RowPlace): string {
  return offset === undefined ? `partition ${partition}` : `partition ${partition}, offset ${offset}`;
}
