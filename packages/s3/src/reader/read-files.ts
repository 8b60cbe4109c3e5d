/** The rows of a data file, whatever its format: by the same readers that the sources of core and Parquet have. */
import { Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import zlib, { createGunzip } from 'node:zlib';
import {
  EosError,
  isEosError,
  messageOf,
  parseOp,
  rowSchema,
  standardInput,
  t,
  type RowSchema,
  type Source,
} from '@eos/core';
import type { DataFile } from '../files/data-files.js';
import { changeColumns, OP_COLUMN } from '../files/settings.js';
import type { TablePlace } from '../log/index.js';

/** Rows of a file, in its order. */
export interface FileRows {
  readonly rows: readonly Record<string, unknown>[];
  /** One op a row; absent: all are `+I`. */
  readonly ops?: Uint8Array;
}

export interface FileReading {
  readonly place: TablePlace;
  readonly schema: RowSchema;
  /** Of a table with a key: its files hold a changelog. */
  readonly key: readonly string[] | undefined;
}

const BATCH_ROWS = 4_096;
/** Read from the store at a time. */
const CHUNK_BYTES = 4 * 2 ** 20;
/** Unpacked at a time. */
const TEXT_BYTES = 2 ** 20;

/**
 * Memory: a batch of rows and a few chunks of the file; of Parquet, a row group.
 * @throws EOS_SOURCE_FORMAT where the file is not what its name says; EOS_FORMAT where it is missing
 */
export async function* readFileRows(file: DataFile, reading: FileReading): AsyncGenerator<FileRows> {
  const { key } = reading;
  const schema = key === undefined ? reading.schema : changeColumns(reading.schema, key);
  const extension = /\.(ndjson|csv|parquet)(?:\.(gz|zst))?$/.exec(file.path);
  if (extension === null) throw new EosError('EOS_FORMAT', `${file.path} has a format that is not known`);
  const [, format, packing] = extension;
  // Columns that were added later are null in older files.
  const written = Object.entries(schema.columns).filter(([name]) => file.columns?.[name] !== undefined);
  const columns = file.columns === undefined ? schema : rowSchema(Object.fromEntries(written));
  if (format === 'parquet') yield* parquetRows(file, columns, reading);
  else yield* textRows(file, columns, format === 'csv', packing, reading);
}

async function* parquetRows(
  file: DataFile,
  schema: RowSchema,
  { place, key }: FileReading,
): AsyncGenerator<FileRows> {
  const source = {
    size: file.bytes,
    read: (start: number, end: number) => readRange(place, file, start, end),
  };
  // Loaded where it is used, as in writing.
  const { openParquet } = await import('@eos/parquet');
  const opened = await openParquet(source);
  const columns = key !== undefined ? { [OP_COLUMN]: t.string(), ...schema.columns } : schema.columns;
  for await (const { rows } of opened.rows(rowSchema(columns), { batchRows: BATCH_ROWS })) {
    if (key === undefined) {
      yield { rows };
      continue;
    }
    const ops = Uint8Array.from(rows, (row) => checkedOp(row[OP_COLUMN], file));
    yield { rows: rows.map((row) => pick(row, schema.names)), ops };
  }
}

function pick(row: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, unknown> {
  const picked: Record<string, unknown> = {};
  for (const name of names) picked[name] = row[name];
  return picked;
}

function checkedOp(value: unknown, { path }: DataFile): number {
  const op = parseOp(value);
  if (op === undefined) throw new EosError('EOS_SOURCE_FORMAT', `${path}: ${String(value)} is no op`);
  return op;
}

async function* textRows(
  file: DataFile,
  schema: RowSchema,
  isCsv: boolean,
  packing: string | undefined,
  { place, key }: FileReading,
): AsyncGenerator<FileRows> {
  const packed = Readable.from(chunksOf(place, file), { objectMode: false });
  const unpacker = packing === undefined ? undefined : unpackerOf(packing, file);
  const input = unpacker === undefined ? packed : unpacker;
  if (unpacker !== undefined) pipeline(packed, unpacker).catch(() => undefined);
  // Buffers of the usual size would cost more than a small file.
  const chunkBytes = Math.min(TEXT_BYTES, Math.max(4_096, 8 * file.bytes));
  const options = { input, schema, chunkBytes, ...(key === undefined ? {} : { op: OP_COLUMN }) };
  const source = isCsv
    ? standardInput({ ...options, format: 'csv' })
    : standardInput({ ...options, format: 'ndjson' });
  try {
    yield* sourceRows(source);
  } catch (error) {
    throw placed(error, file);
  } finally {
    packed.destroy();
    input.destroy();
  }
}

/** The same error, with the name of the file; what the store says, as it says it. */
function placed(error: unknown, { path }: DataFile): unknown {
  if (!isEosError(error)) return error;
  if (isEosError(error.cause)) return error.cause;
  const isDamaged = error.code === 'EOS_SOURCE_FORMAT' || error.code === 'EOS_SOURCE_UNAVAILABLE';
  if (!isDamaged) return error;
  const { details, cause } = error;
  const problem = cause === undefined ? error.message : messageOf(cause);
  return new EosError('EOS_SOURCE_FORMAT', `${path}: ${problem}`, {
    details: { ...details, path },
    cause: error,
  });
}

async function* chunksOf(place: TablePlace, file: DataFile): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < file.bytes; start += CHUNK_BYTES)
    yield await readRange(place, file, start, Math.min(file.bytes, start + CHUNK_BYTES));
}

/** What a source gives, from its start to its end. */
export async function* sourceRows(source: Source<Record<string, unknown>>): AsyncGenerator<FileRows> {
  const { signal } = new AbortController();
  for await (const assignment of source.assignments({ pipeline: 'read', signal })) {
    const reader = await assignment.open(new Map(), signal);
    try {
      for (;;) {
        const batch = await reader.read({ rows: BATCH_ROWS });
        if (batch === undefined) break;
        const { rows, ops } = batch;
        yield { rows, ...(ops === undefined ? {} : { ops }) };
      }
    } finally {
      await reader.close();
    }
  }
}

function unpackerOf(packing: string, { path }: DataFile): Transform {
  if (packing === 'gz') return createGunzip();
  const create: unknown = Reflect.get(zlib, 'createZstdDecompress');
  if (typeof create === 'function') return Reflect.apply(create, zlib, []) as Transform;
  throw new EosError(
    'EOS_CONFIG',
    `${path} is packed by zstd, which needs Node 22.15 or later, and this is ${process.version}`,
  );
}

async function readRange(
  { store, prefix }: TablePlace,
  file: DataFile,
  start: number,
  end: number,
): Promise<Uint8Array> {
  const bytes = start === end ? new Uint8Array() : await store.read(prefix + file.path, { start, end });
  if (bytes?.length === end - start) return bytes;
  throw new EosError(
    'EOS_FORMAT',
    `the log names ${file.path} with ${file.bytes} bytes, and ${bytes === undefined ? 'it is missing' : 'it is shorter'}`,
    { details: { path: file.path } },
  );
}
