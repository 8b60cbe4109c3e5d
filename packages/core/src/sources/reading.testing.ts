/** What the tests of the sources have in common: folders, reading to the end, and digests computed apart from the code under test. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from '@jest/globals';
import type { Position, Positions, SourceIdentity } from '../positions.js';
import type { Source, SourceBatch, SourceReader } from '../source.js';
import type { FileSourceOptions } from './index.js';

/** Random tests name it in their title; `EOS_TEST_SEED` repeats them. */
export const seed = Number(process.env['EOS_TEST_SEED'] ?? Date.now() % 2 ** 31);

export const never: AbortSignal = new AbortController().signal;

export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'eos-source-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export interface ReadOptions {
  readonly positions?: Positions;
  /** Rows of each read in turn; the last one for all that follow. */
  readonly limits?: readonly number[];
}

export interface ReadBatch<Row> extends SourceBatch<Row> {
  /** What `identity()` said, asked for right away. */
  readonly source: SourceIdentity;
}

/** Every batch of a source, each checked against what the port promises. */
export async function readBatches<Row>(
  source: Source<Row>,
  options: ReadOptions = {},
): Promise<ReadBatch<Row>[]> {
  const batches: ReadBatch<Row>[] = [];
  const limits = options.limits ?? [];
  for await (const assignment of source.assignments({ pipeline: 'test', signal: never })) {
    const reader = await assignment.open(options.positions ?? new Map(), never);
    try {
      for (;;) {
        const rows = limits[Math.min(batches.length, limits.length - 1)] ?? 1000;
        const batch = await reader.read({ rows });
        if (batch === undefined) break;
        if (batch.rows.length === 0 || batch.rows.length > rows)
          throw new Error(`${batch.rows.length} of ${rows} rows`);
        if (batch.offsets.length !== batch.rows.length) throw new Error('not an offset for each row');
        batches.push({ ...batch, source: await batch.identity() });
      }
    } finally {
      await reader.close();
    }
  }
  return batches;
}

export async function readRows<Row>(source: Source<Row>, options: ReadOptions = {}): Promise<Row[]> {
  return (await readBatches(source, options)).flatMap(({ rows }) => rows);
}

/** The only assignment's reader, for tests of a single one. */
export async function openReader<Row>(
  source: Source<Row>,
  positions: Positions = new Map(),
): Promise<SourceReader<Row>> {
  for await (const assignment of source.assignments({ pipeline: 'test', signal: never })) {
    return await assignment.open(positions, never);
  }
  throw new Error('the source has no assignment');
}

export function position(offset: bigint, source: SourceIdentity): Position {
  return { epoch: 1n, offset, txId: 1n, owner: 1n, source, target: 'target' };
}

/** The positions after a batch. */
export function after(batch: ReadBatch<unknown>): Positions {
  return new Map([[batch.partition, position(batch.next, batch.source)]]);
}

/** The identity of a file by its definition. */
export function identityAt(text: Buffer, offset: number, packed?: Buffer): SourceIdentity {
  return {
    kind: 'file',
    size: String((packed ?? text).length),
    head: sha256(text.subarray(0, Math.min(4096, offset))),
    tail: sha256(text.subarray(Math.max(0, offset - 4096), offset)),
    ...(packed === undefined ? {} : { compression: 'gzip' }),
  };
}

export function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** As gzip, in two members. */
export function gzipInTwo(text: Buffer): Buffer {
  const middle = Math.floor(text.length / 2);
  return Buffer.concat([gzipSync(text.subarray(0, middle)), gzipSync(text.subarray(middle))]);
}

export type MakeSource = (options: FileSourceOptions) => Source<unknown>;

export async function readText(
  make: MakeSource,
  text: string | Buffer,
  options: Partial<FileSourceOptions> = {},
): Promise<unknown[]> {
  return await withFolder(async (folder) => {
    const path = join(folder, 'data');
    await writeFile(path, text);
    return await readRows(make({ path, ...options }));
  });
}

/** The error names partition and offset, however small the chunks that the text is read in. */
export async function expectError(
  make: MakeSource,
  text: string | Buffer,
  offset: number,
  message: RegExp,
): Promise<void> {
  for (const chunkBytes of [1, 5, 2 ** 20]) {
    await expect(readText(make, text, { chunkBytes })).rejects.toMatchObject({
      code: 'EOS_SOURCE_FORMAT',
      retryable: false,
      message: expect.stringMatching(
        new RegExp(`^partition data, offset ${offset}: .*${message.source}`, 's'),
      ),
      details: { partition: 'data', offset: BigInt(offset) },
    });
  }
}
