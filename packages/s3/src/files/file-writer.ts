/** One data file in the making, of any format. */
import type { ChangeBatch } from '@eos/core';
import type { ColumnRange } from './data-files.js';
import { objectWriter, type ObjectWriter, type StoredBody } from './object-writer.js';
import type { FileSettings } from './settings.js';
import { textRows } from './text-rows.js';

/** Rows on their way into a file. */
export interface RowSink {
  /** Adds the rows from `start` up to `end`, in order. @throws EOS_ROW with partition, offset and column */
  write(batch: ChangeBatch<unknown>, start: number, end: number): Promise<void>;
  /** Bytes that are held back, and will be written at most. */
  readonly bytesHeld: number;
  /** Writes what is held back. Returns what the columns lie between. */
  end(): Promise<Readonly<Record<string, ColumnRange>>>;
}

export interface FileWriter {
  /** Rows written so far. */
  readonly rows: number;
  /** About how large the file would be if it ended now. */
  readonly bytes: number;
  /** When its first row came, by `performance.now()`. */
  readonly startedAt: number;
  write(batch: ChangeBatch<unknown>, start: number, end: number): Promise<void>;
  /** Ends the file; it is durable when this returns. */
  store(): Promise<StoredBody & { readonly columns: Readonly<Record<string, ColumnRange>> }>;
  /** Never throws. */
  abort(): Promise<void>;
}

export async function fileWriter(
  settings: FileSettings,
  store: Parameters<typeof objectWriter>[0],
  key: string,
  isPending: boolean,
): Promise<FileWriter> {
  const object: ObjectWriter = objectWriter(store, key, isPending);
  const sink = await rowSink(settings, object);
  let rows = 0;
  return {
    get rows() {
      return rows;
    },
    get bytes() {
      return object.bytes + sink.bytesHeld;
    },
    startedAt: performance.now(),
    async write(batch, start, end) {
      await sink.write(batch, start, end);
      rows += end - start;
    },
    async store() {
      const columns = await sink.end();
      return { ...(await object.store()), columns };
    },
    abort: () => object.abort(),
  };
}

/** Loads the encoder of Parquet where it is used: without it, a program starts in half the time. */
async function rowSink(settings: FileSettings, object: ObjectWriter): Promise<RowSink> {
  if (settings.format !== 'parquet') return textRows(settings, object);
  const { parquetRows } = await import('./parquet-rows.js');
  return parquetRows(settings, object);
}

/** The extension of a file's name. */
export function extensionOf({ format, compression }: FileSettings): string {
  if (format === 'parquet') return 'parquet';
  const suffixes = { none: '', gzip: '.gz', zstd: '.zst', snappy: '' };
  return `${format}${suffixes[compression]}`;
}
