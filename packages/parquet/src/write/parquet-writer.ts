/** Rows to a Parquet file. */
import { EosError, type Columns, type RowInput, type RowSchema } from '@eos/core';
import { RowGroupBuilder, type ColumnArrays } from '../columns/row-group-builder.js';
import { statisticsOf } from '../encode/bounds.js';
import type { FileEncoder } from '../encode/encoder.js';
import { fileSchema, type FileSchema } from '../schema/elements.js';
import type { ParquetField } from '../schema/field.js';
import { rowFields, type RowFieldOptions } from '../schema/row-fields.js';
import { addStatistics, noStatistics, summaryOf, type ParquetFile } from './file-statistics.js';
import { writeSettings, type ParquetWriteOptions, type WriteSettings } from './options.js';

/** Appends to the file; awaited before the next call. The bytes are not touched again by the writer. */
export type WriteBytes = (bytes: Uint8Array) => void | Promise<void>;

/** One file in the making. Calls must not overlap. */
export interface ParquetWriter<Row> {
  /**
   * Adds rows. Full row groups are encoded and handed to `write`; it resolves when `write` has taken them.
   * @throws EOS_ROW for a value that does not fit, with `details.column` and `details.row`, the index in `rows`: the rows before it are
   *   added, it and those behind it are not. Writing may go on with any rows
   */
  write(rows: readonly Row[]): Promise<void>;
  /**
   * The same from ready columns: `values[i]` of each belongs to row `i`, of `rowCount`. A column that is left out is null.
   * @throws EOS_ROW as {@link ParquetWriter.write} does; EOS_CONFIG for an unknown column, or one with too few values
   */
  writeColumns(columns: ColumnArrays, rowCount: number): Promise<void>;
  /** Rows added so far. */
  readonly rowCount: number;
  /** Bytes handed to `write` so far. */
  readonly bytesWritten: number;
  /** Memory that rows take which are not yet written: at most that of one row group. For rolling files by size. */
  readonly bytesBuffered: number;
  /** Writes what is left and the footer. A file without rows is a file too. */
  finish(): Promise<ParquetFile>;
}

/**
 * Writes rows of an Eos schema.
 *
 * Memory: one row group, as its columns take it (`rowGroupBytes`, and an eighth more), up to twice for arrays that
 * grow, and one column of it compressed; with each row group, a few hundred bytes a column for the footer.
 *
 * Once `write` has thrown, the file is lost: what was handed over is no whole file.
 * @throws EOS_CONFIG for a schema that Parquet cannot hold, or an option out of range
 */
export function parquetWriter<C extends Columns>(
  schema: RowSchema<C>,
  write: WriteBytes,
  options: ParquetWriteOptions & RowFieldOptions = {},
): ParquetWriter<RowInput<RowSchema<C>>> {
  return nestedParquetWriter(rowFields(schema, options), write, options);
}

/**
 * Writes rows of any fields, nested ones too: a struct is an object, a list an array, a map a `Map` or, with keys that are text, an
 * object. Everything else is as {@link parquetWriter} says.
 */
export function nestedParquetWriter<Row extends object = Readonly<Record<string, unknown>>>(
  fields: readonly ParquetField[],
  write: WriteBytes,
  options: ParquetWriteOptions = {},
): ParquetWriter<Row> {
  const schema = fileSchema(fields);
  return new FileWriter(schema, writeSettings(options, schema), write);
}

/** Rows are added in steps of at most about so many bytes, so that a row group does not grow much beyond its bound. */
const STEP_BYTES = 1024 * 1024;
const STEP_ROWS = 1024;

class FileWriter<Row extends object> implements ParquetWriter<Row> {
  private readonly builder: RowGroupBuilder;
  private readonly encoder: FileEncoder;
  private readonly totals;
  private rowGroupCount = 0;
  private writtenRows = 0;
  private written = 0;
  private step = 1;
  private state: 'open' | 'busy' | 'finished' | 'failed' = 'open';

  constructor(
    private readonly schema: FileSchema,
    private readonly settings: WriteSettings,
    write: WriteBytes,
  ) {
    this.builder = new RowGroupBuilder(schema, settings.encoder.check);
    this.totals = schema.leaves.map(noStatistics);
    this.encoder = settings.encoder.begin({
      ...settings,
      schema,
      write: async (bytes) => {
        this.written += bytes.length;
        await write(bytes);
      },
    });
  }

  get rowCount(): number {
    return this.writtenRows + this.builder.rowCount;
  }

  get bytesWritten(): number {
    return this.written;
  }

  get bytesBuffered(): number {
    return this.builder.byteSize;
  }

  async write(rows: readonly Row[]): Promise<void> {
    await this.exclusively(() =>
      this.addAll(rows.length, (start, end) => this.builder.addRows(rows, start, end)),
    );
  }

  async writeColumns(columns: ColumnArrays, rowCount: number): Promise<void> {
    this.checkColumns(columns, rowCount);
    await this.exclusively(() =>
      this.addAll(rowCount, (start, end) => this.builder.addColumns(columns, start, end)),
    );
  }

  async finish(): Promise<ParquetFile> {
    await this.exclusively(async () => {
      if (this.builder.rowCount > 0) await this.flush();
      await this.unlessItFails(() => this.encoder.finish());
    });
    this.state = 'finished';
    return {
      rowCount: this.rowCount,
      bytes: this.written,
      rowGroupCount: this.rowGroupCount,
      columns: this.schema.leaves.map((leaf, at) => summaryOf(leaf, this.totals[at] ?? noStatistics())),
    };
  }

  private async addAll(count: number, add: (start: number, end: number) => void): Promise<void> {
    const { rowGroupRows, rowGroupBytes } = this.settings;
    const stepBytes = Math.min(STEP_BYTES, rowGroupBytes / 8);
    for (let start = 0; start < count;) {
      const before = this.builder.byteSize;
      const end = Math.min(count, start + this.step, start + rowGroupRows - this.builder.rowCount);
      add(start, end);
      const after = this.builder.byteSize;
      // A dictionary that was given up makes a jump; the next step is short then, which costs little.
      const rowBytes = Math.max(1, (after - before) / (end - start));
      this.step = Math.max(1, Math.min(STEP_ROWS, 2 * this.step, Math.floor(stepBytes / rowBytes)));
      if (this.builder.rowCount >= rowGroupRows || after >= rowGroupBytes) await this.flush();
      start = end;
    }
  }

  private async flush(): Promise<void> {
    const { rowCount, leaves } = this.builder;
    const columns = leaves.map((data) => ({ data, statistics: statisticsOf(data) }));
    await this.unlessItFails(() => this.encoder.rowGroup(rowCount, columns));
    columns.forEach(({ data, statistics }, at) => {
      const total = this.totals[at];
      if (total !== undefined) addStatistics(total, statistics, data.entries - data.nulls);
    });
    this.writtenRows += rowCount;
    this.rowGroupCount += 1;
    this.builder.clear();
  }

  private async unlessItFails(work: () => Promise<void>): Promise<void> {
    this.state = 'failed';
    await work();
    this.state = 'busy';
  }

  private async exclusively(work: () => Promise<void>): Promise<void> {
    if (this.state !== 'open') throw new EosError('EOS_STATE', STATES[this.state]);
    this.state = 'busy';
    try {
      await work();
    } finally {
      if (this.isBusy()) this.state = 'open';
    }
  }

  private isBusy(): boolean {
    return this.state === 'busy';
  }

  private checkColumns(columns: ColumnArrays, rowCount: number): void {
    const known = new Set(this.schema.fields.map(({ name }) => name));
    for (const [name, values] of Object.entries(columns)) {
      if (!known.has(name)) throw new EosError('EOS_CONFIG', `there is no column ${JSON.stringify(name)}`);
      if (values !== undefined && values.length < rowCount) {
        const message = `column ${JSON.stringify(name)} has ${values.length} values for ${rowCount} rows`;
        throw new EosError('EOS_CONFIG', message, { details: { column: name } });
      }
    }
  }
}

const STATES = {
  busy: 'another call of this writer is under way',
  finished: 'the file is finished',
  failed: 'the file could not be written: begin another one',
} as const;
