/** Any number of rows without holding them: each is made when it is read, always the same for its offset. */
import { randomBytes } from 'node:crypto';
import { iterableSource, type Entry, type Source } from '@eos/core';
import { makeRows, type BenchRow } from './rows.js';

/** The values repeat after so many rows; the key does not. */
const POOL_ROWS = 10_000;
/** What a source that reads a file might hand out at a time. */
const BATCH_ROWS = 1_000;

/** So many rows of the pool, its keys repeated, for a writer that wants a list. */
export function repeatedRows(count: number): BenchRow[] {
  const pool = makeRows(Math.min(count, POOL_ROWS));
  return Array.from({ length: Math.ceil(count / pool.length) }, () => pool)
    .flat()
    .slice(0, count);
}

/** @param poolRows after so many rows the values repeat */
export function generatedSource(total: number, poolRows = POOL_ROWS): Source<BenchRow> {
  const pool = makeRows(poolRows);
  return iterableSource({ replayable: true, open: (from) => generate(pool, Number(from ?? 0n), total) });
}

function* generate(pool: readonly BenchRow[], from: number, total: number): Generator<Entry<BenchRow>[]> {
  for (let start = from; start < total; start += BATCH_ROWS) {
    const count = Math.min(BATCH_ROWS, total - start);
    yield Array.from({ length: count }, (_, index) => generatedEntry(pool, start + index));
  }
}

function generatedEntry(pool: readonly BenchRow[], number: number): Entry<BenchRow> {
  const model = pool[number % pool.length];
  if (model === undefined) throw new RangeError('the pool has no rows');
  const { name, amount, quantity, happened_at, note } = model;
  const offset = BigInt(number);
  return { offset, row: { id: offset + 1n, name, amount, quantity, happened_at, note } };
}

/** Text that no encoder makes smaller; a note begins at each of its characters. */
const NOISE_BYTES = 4 * 2 ** 20;
const WIDE_BATCH_ROWS = 100;

/** Rows with a note of so many bytes, of which no two are alike. */
export function wideSource(total: number, noteBytes: number): Source<BenchRow> {
  const pool = makeRows(POOL_ROWS);
  const noise = randomBytes(NOISE_BYTES).toString('base64');
  const noteOf = (number: number) => {
    const start = (number * 1_009) % (noise.length - noteBytes);
    return noise.slice(start, start + noteBytes);
  };
  return iterableSource({
    replayable: true,
    *open(from) {
      for (let start = Number(from ?? 0n); start < total; start += WIDE_BATCH_ROWS)
        yield Array.from({ length: Math.min(WIDE_BATCH_ROWS, total - start) }, (_, index) => {
          const { offset, row } = generatedEntry(pool, start + index);
          return { offset, row: { ...row, note: noteOf(start + index) } };
        });
    },
  });
}
