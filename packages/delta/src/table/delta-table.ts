/** A Delta table as it is at one version: for reading it in Node, whoever wrote it. */
import { EosError, type RowSchema } from '@eos/core';
import type { OpenStore } from '@eos/object-store/place';
import type { FilePlace } from '../files/data-file.js';
import type { AddFile, Protocol, Transaction, Version } from '../log/actions.js';
import { parseCommit } from '../log/parse-actions.js';
import { checkReadable } from '../log/protocol.js';
import { readBody, readTable } from '../log/read-table.js';
import type { TableState } from '../log/table-state.js';
import { tableLocation, type DeltaPlaceOptions, type TableLocation } from '../options.js';
import { parseTableSchema, type DeltaField } from '../schema/delta-schema.js';
import { rowSchemaOfTable } from '../schema/eos-columns.js';
import type { Condition } from '../statistics/conditions.js';
import { commitChanges, type ChangedRows } from './commit-changes.js';
import { fileRows, type TableRow } from './file-rows.js';
import { readHistory, type HistoryEntry } from './history.js';
import { readColumns } from './read-columns.js';
import { planScan, tableFile, type TableFile } from './scan.js';
import { versionAt } from './versions.js';

export interface DeltaTableOptions extends DeltaPlaceOptions {
  /** Default: the newest. */
  readonly version?: Version;
  /** The newest version that was made then or before. Instead of `version`. */
  readonly timestamp?: Date;
}

export interface ReadTableRowsOptions {
  /** Columns of the rows, in this order. Default: all. */
  readonly columns?: readonly string[];
  /** Conditions, all of which a row must meet. Files and row groups without such rows are not read. */
  readonly where?: readonly Condition[];
  /** The most rows of a batch. Default 1,024. */
  readonly batchRows?: number;
}

export interface ReadChangesOptions extends Pick<ReadTableRowsOptions, 'columns' | 'batchRows'> {
  /** The first version whose changes are wanted. */
  readonly from: Version;
  /** The last one. Default: that of the table as it was opened. */
  readonly to?: Version;
}

/** Some of the changes of one version. */
export interface TableChanges extends ChangedRows {
  readonly version: Version;
}

const BATCH_ROWS = 1_024;

/**
 * Reads only, and disturbs nobody.
 *
 * Memory: the list of files (about 0.6 KB each, once it is needed), and while rows are read the chosen columns of one row group.
 * @example
 * const table = await DeltaTable.open({ folder: 'warehouse/flights' });
 * for await (const rows of table.rows({ columns: ['id'], where: [{ column: 'delay', from: 60 }] })) console.table(rows);
 * await table.close();
 */
export class DeltaTable {
  readonly #opened: OpenStore;
  readonly #place: FilePlace;
  readonly #state: TableState;
  /** For messages: where the table is. */
  readonly description: string;

  /** For {@link DeltaTable.open}, which looks whether the table can be read. */
  constructor(opened: OpenStore, { place, description }: TableLocation, state: TableState) {
    this.#opened = opened;
    this.#place = { store: opened.store, place };
    this.#state = state;
    this.description = description;
  }

  /**
   * @throws EOS_SCHEMA where there is no table, or one with a feature that this version does not know; EOS_CONFIG for a version that is
   *   not in the log; EOS_FORMAT for a damaged log; EOS_UNAVAILABLE, EOS_PERMISSION
   */
  static async open(options: DeltaTableOptions): Promise<DeltaTable> {
    return await openTableAt(tableLocation(options), options);
  }

  get version(): Version {
    return this.#state.version;
  }

  /** Given when the table was made. */
  get id(): string {
    return this.#state.metadata.id;
  }

  get fields(): readonly DeltaField[] {
    return parseTableSchema(this.#state.metadata.schemaString).fields;
  }

  /** The schema of rows; undefined where the table has a column that Eos has no type for, such as a list. Rows are read all the same. */
  get schema(): RowSchema | undefined {
    return rowSchemaOfTable({ fields: this.fields });
  }

  get partitionColumns(): readonly string[] {
    return this.#state.metadata.partitionColumns;
  }

  /** Table properties, such as `delta.appendOnly`. */
  get properties(): Readonly<Record<string, string>> {
    return this.#state.metadata.configuration;
  }

  get protocol(): Protocol {
    return this.#state.protocol;
  }

  /** The newest `txn` of each application: the positions of Eos are among them. */
  get applications(): ReadonlyMap<string, Transaction> {
    return this.#state.transactions;
  }

  /**
   * The files of the table, those that may have rows which meet `where`.
   * @throws EOS_CONFIG for a condition on a column that the table has not, or with a value of another type
   */
  async files(where: readonly Condition[] = []): Promise<readonly TableFile[]> {
    const { isWanted } = planScan(this.#state.metadata, where);
    return (await this.#live()).filter(isWanted).map((file) => tableFile(file, this.#state.metadata));
  }

  /**
   * The rows, in batches, in the order of the files. Values are those of Eos rows: 64-bit integers and timestamps (microseconds since 1970) as
   * bigint, decimals, dates and UUIDs as text; a struct is an object, a list an array, a map a `Map`; null where there is nothing.
   * @throws EOS_CONFIG for a column that there is not; EOS_UNAVAILABLE where a file was deleted by a VACUUM
   */
  async *rows<Row = TableRow>(options: ReadTableRowsOptions = {}): AsyncGenerator<readonly Row[]> {
    const { metadata } = this.#state;
    const columns = readColumns(metadata, options.columns);
    const { isWanted, conditions, conditioned } = planScan(metadata, options.where ?? []);
    const batchRows = checkBatchRows(options.batchRows);
    for (const file of await this.#live()) {
      if (!isWanted(file)) continue;
      for await (const rows of fileRows(this.#place, file, { columns, conditions, conditioned, batchRows }))
        // Made column by column, by the schema of the table.
        yield rows as readonly TableRow[] as readonly Row[];
    }
  }

  /** Commits up to the version of the table, newest first, as far as the log reaches. */
  history(): AsyncIterable<HistoryEntry> {
    const { store, place } = this.#place;
    return readHistory(store, place, this.#state.version);
  }

  /**
   * What versions did to rows, in their order: the change data feed. Of a version that wrote no feed, the rows of files that it removed (`-D`)
   * and added (`+I`), among them such that it only moved from one file to another. Columns are those that the table has now.
   * @throws EOS_CONFIG for versions that are not in the log; EOS_UNAVAILABLE where a file was deleted by a VACUUM
   */
  async *changes({
    from,
    to = this.version,
    columns,
    batchRows,
  }: ReadChangesOptions): AsyncGenerator<TableChanges> {
    if (!(Number.isInteger(from) && from >= 0 && to <= this.version))
      throw noSuchVersions(from, to, this.version);
    const wanted = readColumns(this.#state.metadata, columns);
    const { store, place } = this.#place;
    for (let version = from; version <= to; version++) {
      const body = await readBody(store, place, version);
      if (body === undefined) throw noSuchVersions(version, to, this.version);
      const commit = parseCommit(version, body);
      for await (const changed of commitChanges(this.#place, commit, wanted, checkBatchRows(batchRows)))
        yield { version, ...changed };
    }
  }

  /** Frees connections. A store that was given is not closed. */
  async close(): Promise<void> {
    await this.#opened.close();
  }

  async #live(): Promise<readonly AddFile[]> {
    return [...(await this.#state.files.current()).adds.values()];
  }
}

/** Of a location whose options were checked. Throws as {@link DeltaTable.open} does. */
export async function openTableAt(
  location: TableLocation,
  { version, timestamp }: Pick<DeltaTableOptions, 'version' | 'timestamp'> = {},
): Promise<DeltaTable> {
  if (version !== undefined && timestamp !== undefined)
    throw new EosError('EOS_CONFIG', 'timestamp: give either a version or a timestamp', {
      details: { option: 'timestamp' },
    });
  const opened = await location.store.open();
  try {
    return new DeltaTable(opened, location, await stateAt(opened, location, version, timestamp));
  } catch (error) {
    await opened.close();
    throw error;
  }
}

async function stateAt(
  { store }: OpenStore,
  { place, description }: TableLocation,
  version: Version | undefined,
  timestamp: Date | undefined,
): Promise<TableState> {
  const until = timestamp === undefined ? version : await versionAt(store, place, timestamp);
  const { state } = await readTable(store, place, until);
  if (state.version < 0) throw noTable(description);
  checkReadable(state.protocol, state.metadata);
  return state;
}

function checkBatchRows(batchRows = BATCH_ROWS): number {
  if (Number.isInteger(batchRows) && batchRows > 0) return batchRows;
  throw new EosError('EOS_CONFIG', `batchRows: must be a positive integer, not ${batchRows}`, {
    details: { option: 'batchRows' },
  });
}

function noTable(description: string): EosError {
  return new EosError('EOS_SCHEMA', `there is no Delta table in ${description}`, {
    details: { table: description },
  });
}

function noSuchVersions(from: Version, to: Version, newest: Version): EosError {
  const message = `from, to: versions ${from} to ${to} are not in the log, whose newest is ${newest}: older ones may have been cleaned up`;
  return new EosError('EOS_CONFIG', message, { details: { option: 'from', from, to, newest } });
}
