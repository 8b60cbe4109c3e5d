import {
  isEosError,
  isRetraction,
  OP_NAMES,
  rowError,
  rowSchema,
  t,
  type ChangeBatch,
  type JsonValue,
  type RowSchema,
} from '@eos/core';
import { parquetWriter, type ColumnSummary } from '@eos/parquet';
import type { ByteSink } from './compression.js';
import type { ColumnRange } from './data-files.js';
import type { RowSink } from './file-writer.js';
import { changeColumns, OP_COLUMN, type FileSettings } from './settings.js';

/** Rows as Parquet. Memory: one row group. */
export function parquetRows(
  { schema, compression, key, bloomFilters }: FileSettings,
  target: ByteSink,
): RowSink {
  const columns =
    key === undefined ? schema.columns : { [OP_COLUMN]: t.string(), ...changeColumns(schema, key).columns };
  const timestamps = schema.names.filter((name) => schema.columns[name]?.type.kind === 'timestamp');
  const writer = parquetWriter(rowSchema(columns), (bytes) => target.write(bytes), {
    compression,
    bloomFilters: Object.fromEntries(bloomFilters.map((name) => [name, true])),
  });
  return {
    get bytesHeld() {
      return writer.bytesBuffered;
    },
    async write(batch, start, end) {
      for (const name of timestamps) checkTimestamps(name, batch, start, end);
      const columns = key === undefined ? undefined : columnsOf(schema, batch, start, end);
      try {
        if (columns !== undefined) await writer.writeColumns(columns, end - start);
        // The writer checks each value against its column.
        else
          await writer.write(
            (start === 0 && end === batch.rows.length ? batch.rows : batch.rows.slice(start, end)) as Row[],
          );
      } catch (error) {
        throw placed(error, batch, start);
      }
    },
    async end() {
      const file = await writer.finish();
      return Object.fromEntries(file.columns.flatMap(rangeOf));
    },
  };
}

type Row = Record<string, never>;

/** Of years 0 to 9999, as text formats hold them: to other readers, what lies at the ends of 64 bits is infinity. */
const FIRST_MS = Date.parse('0000-01-01T00:00:00Z');
const BEHIND_MS = Date.parse('+010000-01-01T00:00:00Z');
const FIRST = BigInt(FIRST_MS) * 1000n;
const BEHIND = BigInt(BEHIND_MS) * 1000n;

function checkTimestamps(name: string, batch: ChangeBatch<unknown>, start: number, end: number): void {
  const { rows } = batch;
  for (let index = start; index < end; index += 1) {
    const value: unknown = (rows[index] as Readonly<Record<string, unknown>> | null | undefined)?.[name];
    const isBeyond =
      typeof value === 'bigint'
        ? value < FIRST || value >= BEHIND
        : value instanceof Date && (value.getTime() < FIRST_MS || value.getTime() >= BEHIND_MS);
    if (isBeyond)
      throw rowError(batch, index, `column ${name}: a timestamp beyond the years 0 to 9999`, name);
  }
}

function columnsOf(
  { names, columns: types }: RowSchema,
  batch: ChangeBatch<unknown>,
  start: number,
  end: number,
): Record<string, unknown[]> {
  const { rows, ops } = batch;
  const columns: Record<string, unknown[]> = {
    [OP_COLUMN]: Array.from({ length: end - start }, (_, index) => OP_NAMES[ops?.[start + index] ?? 0]),
  };
  for (const name of names) {
    const values = new Array<unknown>(end - start);
    const isNullable = types[name]?.isNullable === true;
    for (let index = start; index < end; index += 1) {
      const value = (rows[index] as Readonly<Record<string, unknown>>)[name];
      if (!isNullable && (value === null || value === undefined) && !isRetraction(ops?.[index] ?? 0))
        throw rowError(batch, index, `column ${name} is null or missing, and takes none`, name);
      values[index - start] = value;
    }
    columns[name] = values;
  }
  return columns;
}

/** The same error, with the place of the row in its source. */
function placed(error: unknown, batch: ChangeBatch<unknown>, start: number): unknown {
  if (!isEosError(error) || error.code !== 'EOS_ROW') return error;
  const { row, column } = error.details;
  const index = start + (typeof row === 'number' ? row : 0);
  return rowError(batch, index, error.message, typeof column === 'string' ? column : undefined);
}

/** As text formats record them: numbers as numbers, everything else as text. Bounds of text may be cut, and are not recorded. */
function rangeOf({ path, type, nullCount, nanCount, min, max }: ColumnSummary): [string, ColumnRange][] {
  const [name, ...rest] = path;
  if (name === undefined || rest.length > 0 || name === OP_COLUMN) return [];
  const isRecorded = ['int32', 'int64', 'float64', 'date', 'timestamp'].includes(type.kind);
  if (!isRecorded || min === undefined || max === undefined || nanCount > 0)
    return [[name, { nulls: nullCount }]];
  return [[name, { min: jsonOf(type.kind, min), max: jsonOf(type.kind, max), nulls: nullCount }]];
}

function jsonOf(kind: string, value: unknown): JsonValue {
  if (kind === 'timestamp' && typeof value === 'bigint') {
    const micros = ((value % 1000n) + 1000n) % 1000n;
    const text = new Date(Number((value - micros) / 1000n)).toISOString();
    return micros === 0n ? text : `${text.slice(0, -1)}${String(micros).padStart(3, '0')}Z`;
  }
  // JSON has no infinities: they are text, as in the rows of text formats.
  return typeof value === 'number' && Number.isFinite(value) ? value : String(value);
}
