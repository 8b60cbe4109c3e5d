/** One data file of a table: rows to Parquet, with the `add` that names it. */
import { randomUUID } from 'node:crypto';
import type { ObjectStore } from '@eos/object-store';
import {
  nestedParquetWriter,
  type Compression,
  type ParquetWriter,
  type ParquetWriteOptions,
} from '@eos/parquet';
import type { AddFile, PartitionValues } from '../log/actions.js';
import { encodeDataPath, type TablePlace } from '../log/paths.js';
import { partitionFolders } from '../schema/partition-folders.js';
import { fileStatistics } from '../statistics/file-statistics.js';
import { ObjectWriter } from './object-writer.js';
import type { TablePlan } from './table-plan.js';

export interface FileSettings {
  readonly compression: Compression;
  /** A file ends when it has about so many bytes. */
  readonly targetFileBytes: number;
  /** The most memory of a row group that is being filled. */
  readonly rowGroupBytes: number;
  /** Columns with Bloom filters. */
  readonly bloomFilters?: ParquetWriteOptions['bloomFilters'];
}

/** What becomes of a file: a part of the table, or of its change data feed. */
export interface FileKind {
  /** Below the table; empty, or ends in `/`. */
  readonly folder: string;
  /** What its name begins with. */
  readonly name: string;
}

const DATA: FileKind = { folder: '', name: 'part' };

export interface FilePlace {
  readonly store: ObjectStore;
  readonly place: TablePlace;
}

/** Not visible to readers before a commit names it. Calls must not overlap. */
export class DataFile<Row extends object> {
  readonly #object: ObjectWriter;
  readonly #writer: ParquetWriter<Row>;
  readonly #path: string;

  constructor(
    { store, place }: FilePlace,
    private readonly plan: TablePlan,
    settings: FileSettings,
    private readonly partitionValues: PartitionValues,
    kind: FileKind = DATA,
  ) {
    const codec = settings.compression === 'none' ? '' : `.${settings.compression}`;
    this.#path = `${kind.folder}${partitionFolders(partitionValues)}${kind.name}-${randomUUID()}${codec}.parquet`;
    this.#object = new ObjectWriter(store, `${place.prefix}${this.#path}`, { condition: { ifAbsent: true } });
    const { compression, rowGroupBytes, bloomFilters } = settings;
    this.#writer = nestedParquetWriter<Row>(plan.dataFields, (bytes) => this.#object.write(bytes), {
      ...{ compression, rowGroupBytes },
      ...(bloomFilters === undefined ? {} : { bloomFilters }),
    });
  }

  get key(): string {
    return this.#object.key;
  }

  /** Rows so far. */
  get rowCount(): number {
    return this.#writer.rowCount;
  }

  /** About how large the file is by now. */
  get bytes(): number {
    return this.#writer.bytesWritten + this.#writer.bytesBuffered;
  }

  /** Memory that it holds. */
  get bytesBuffered(): number {
    return this.#writer.bytesBuffered;
  }

  /** @throws EOS_ROW with `details.row`, the index in `rows`: those before it are in the file */
  async write(rows: readonly Row[]): Promise<void> {
    await this.#writer.write(rows);
  }

  /** The same from ready columns: `values[i]` of each belongs to row `i`. */
  async writeColumns(columns: Readonly<Record<string, ArrayLike<unknown>>>, rowCount: number): Promise<void> {
    await this.#writer.writeColumns(columns, rowCount);
  }

  /** Makes the file durable, and returns the action that makes it a part of the table. */
  async finish(): Promise<AddFile> {
    const file = await this.#writer.finish();
    await this.#object.finish();
    return {
      path: encodeDataPath(this.#path),
      partitionValues: this.partitionValues,
      size: file.bytes,
      modificationTime: Date.now(),
      dataChange: true,
      stats: fileStatistics(file, this.plan.metadata),
    };
  }

  async abort(): Promise<void> {
    await this.#object.abort();
  }
}
