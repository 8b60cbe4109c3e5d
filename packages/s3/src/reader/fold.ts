/** The rows that a changelog leaves, in bounded memory: changes go to temporary files by their key, and each of these is folded by itself. */
import { createHash } from 'node:crypto';
import { mkdtemp, open, rm, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRetraction, keyTextOf, ndjsonSource, type RowSchema } from '@eos/core';
import { ndjsonEncoder } from '../files/row-text.js';
import { OP_COLUMN } from '../files/settings.js';
import { sourceRows, type FileRows } from './read-files.js';

type Row = Record<string, unknown>;

/** Up to so many changes are folded in memory at once. */
const CHANGES_AT_ONCE = 500_000;
const MOST_BUCKETS = 512;
const BATCH_ROWS = 4_096;

/**
 * Memory: the live rows among 500,000 changes, or of a 512th of all of them, whichever is more: about 256 million changes lie within the
 * first.
 * @param changes in the order in which they were committed
 * @param count how many there are
 */
export async function* folded(
  changes: AsyncIterable<FileRows>,
  count: number,
  schema: RowSchema,
  key: readonly string[],
): AsyncGenerator<readonly Row[]> {
  const buckets = Math.min(MOST_BUCKETS, Math.ceil(count / CHANGES_AT_ONCE));
  if (buckets <= 1) {
    yield* inMemory(changes, schema, key);
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), 'eos-s3-fold-'));
  try {
    const paths = await spill(changes, { folder, buckets, schema, key });
    for (const path of paths) {
      yield* inMemory(sourceRows(ndjsonSource({ path, schema, op: OP_COLUMN })), schema, key);
      await rm(path);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function* inMemory(
  changes: AsyncIterable<FileRows>,
  schema: RowSchema,
  key: readonly string[],
): AsyncGenerator<readonly Row[]> {
  const keyOf = keyTextOf(key, schema);
  const live = new Map<string, Row>();
  for await (const { rows, ops } of changes) {
    for (const [index, row] of rows.entries()) {
      const text = keyOf(row);
      if (isRetraction(ops?.[index] ?? 0)) live.delete(text);
      else live.set(text, row);
    }
  }
  let batch: Row[] = [];
  for (const row of live.values()) {
    batch.push(row);
    if (batch.length < BATCH_ROWS) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

interface Spilling {
  readonly folder: string;
  readonly buckets: number;
  readonly schema: RowSchema;
  readonly key: readonly string[];
}

/** One pass: every change to the file of its key's bucket, in order. */
async function spill(
  changes: AsyncIterable<FileRows>,
  { folder, buckets, schema, key }: Spilling,
): Promise<readonly string[]> {
  const keyOf = keyTextOf(key, schema);
  const { block } = ndjsonEncoder(schema, true);
  const paths = Array.from({ length: buckets }, (_, number) => join(folder, `${number}.ndjson`));
  const files: FileHandle[] = [];
  try {
    for (const path of paths) files.push(await open(path, 'w'));
    for await (const { rows, ops } of changes) {
      const parts = new Map<number, number[]>();
      for (const [index, row] of rows.entries()) {
        const bucket = bucketOf(keyOf(row), buckets);
        const part = parts.get(bucket);
        if (part === undefined) parts.set(bucket, [index]);
        else part.push(index);
      }
      for (const [bucket, indexes] of parts) {
        const batch = {
          partition: '',
          rows: indexes.map((index) => rows[index]),
          ops: Uint8Array.from(indexes, (index) => ops?.[index] ?? 0),
        };
        for (let start = 0; start < indexes.length;) {
          const { text, next } = block(batch, start, indexes.length);
          await files[bucket]?.appendFile(text);
          start = next;
        }
      }
    }
  } finally {
    for (const file of files) await file.close();
  }
  return paths;
}

function bucketOf(key: string, buckets: number): number {
  return createHash('sha256').update(key).digest().readUInt32LE() % buckets;
}
