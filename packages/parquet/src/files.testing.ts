/** Files in memory, and DuckDB as a reader that is not ours. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance, type DuckDBValue } from '@duckdb/node-api';
import type { Columns, InferRow, RowInput, RowSchema } from '@eos/core';
import {
  nestedParquetWriter,
  openParquet,
  parquetWriter,
  type ByteSource,
  type ParquetField,
  type ParquetFile,
  type ParquetWriteOptions,
  type RowFieldOptions,
} from './index.js';

export const seed = Number(process.env['EOS_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

export interface WrittenFile {
  readonly bytes: Buffer;
  readonly file: ParquetFile;
}

export async function write<C extends Columns>(
  schema: RowSchema<C>,
  rows: readonly RowInput<RowSchema<C>>[],
  options: ParquetWriteOptions & RowFieldOptions = {},
): Promise<WrittenFile> {
  const parts: Uint8Array[] = [];
  const writer = parquetWriter(schema, (bytes) => void parts.push(bytes), options);
  await writer.write(rows);
  const file = await writer.finish();
  return { bytes: Buffer.concat(parts), file };
}

export async function writeNested(
  fields: readonly ParquetField[],
  rows: readonly Readonly<Record<string, unknown>>[],
  options: ParquetWriteOptions = {},
): Promise<WrittenFile> {
  const parts: Uint8Array[] = [];
  const writer = nestedParquetWriter(fields, (bytes) => void parts.push(bytes), options);
  await writer.write(rows);
  const file = await writer.finish();
  return { bytes: Buffer.concat(parts), file };
}

export function sourceOf(bytes: Uint8Array): ByteSource {
  return { size: bytes.length, read: async (start, end) => bytes.subarray(start, end) };
}

export async function readRows<C extends Columns>(
  bytes: Uint8Array,
  schema: RowSchema<C>,
): Promise<InferRow<RowSchema<C>>[]> {
  const file = await openParquet(sourceOf(bytes));
  const all: InferRow<RowSchema<C>>[] = [];
  for await (const { firstRow, rows } of file.rows(schema)) {
    if (firstRow !== all.length) throw new Error(`the batch begins at ${firstRow}, not ${all.length}`);
    all.push(...rows);
  }
  return all;
}

export async function readRecords(bytes: Uint8Array): Promise<Readonly<Record<string, unknown>>[]> {
  const file = await openParquet(sourceOf(bytes));
  const all: Readonly<Record<string, unknown>>[] = [];
  for await (const { rows } of file.records()) all.push(...rows);
  return all;
}

/** A folder that is gone when the work is done. */
export async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'eos-parquet-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export type Query = (sql: string) => Promise<Record<string, DuckDBValue>[]>;

/** The file is `'{file}'` in the SQL. */
export async function withDuckDb<T>(bytes: Uint8Array, work: (query: Query) => Promise<T>): Promise<T> {
  return withFolder(async (folder) => {
    const path = join(folder, 'file.parquet');
    await writeFile(path, bytes);
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
    const connection = await instance.connect();
    try {
      return await work(async (sql) => {
        const reader = await connection.runAndReadAll(sql.replaceAll('{file}', path));
        return reader.getRowObjects();
      });
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
  });
}
