/** The data files of one transaction: rows sorted into partitions, files that end when they are large enough. */
import { EosError, isEosError, type ChangeBatch } from '@eos/core';
import type { AddFile, PartitionValues } from '../log/actions.js';
import { DataFile, type FilePlace, type FileSettings } from './data-file.js';
import type { PartitionColumn, TablePlan } from './table-plan.js';

/** Files that are open at once: each holds a row group. */
const MAX_OPEN = 64;
/** What open files may hold together, beside one row group. */
const MAX_BUFFERED_BYTES = 64 * 1024 * 1024;

const NO_PARTITION: PartitionValues = Object.freeze({});

/**
 * Takes rows, and keeps none longer than it must.
 *
 * Memory: one row group; with partitions 64 MiB of row groups more, and 64 open files. Beyond that the fullest file ends early.
 */
export class StagedFiles<Row extends object> {
  readonly #open = new Map<string, DataFile<Row>>();
  readonly #finished: AddFile[] = [];
  readonly #keys: string[] = [];

  constructor(
    private readonly place: FilePlace,
    private readonly plan: TablePlan,
    private readonly settings: FileSettings,
  ) {}

  /** @throws EOS_ROW with partition, offset and column */
  async write(batch: ChangeBatch<Row>): Promise<void> {
    const { partitionColumns } = this.plan;
    if (partitionColumns.length === 0) {
      await this.#add('', NO_PARTITION, batch.rows, batch);
      return;
    }
    const groups = new Map<string, { values: PartitionValues; rows: Row[]; indexes: number[] }>();
    batch.rows.forEach((row, index) => {
      const texts = partitionTexts(partitionColumns, row, index, batch);
      const id = partitionId(texts);
      let group = groups.get(id);
      if (group === undefined) {
        const entries = partitionColumns.map(({ name }, at) => [name, texts[at] ?? null] as const);
        group = { values: Object.fromEntries(entries), rows: [], indexes: [] };
        groups.set(id, group);
      }
      group.rows.push(row);
      group.indexes.push(index);
    });
    for (const [id, { values, rows, indexes }] of groups) await this.#add(id, values, rows, batch, indexes);
  }

  /** Ends all files: everything is durable, nothing visible. */
  async finish(): Promise<readonly AddFile[]> {
    for (const id of [...this.#open.keys()]) await this.#end(id);
    return this.#finished;
  }

  /** Deletes what was written. Never to be called once a commit was sent. Never throws. */
  async discard(): Promise<void> {
    await Promise.all([...this.#open.values()].map((file) => file.abort()));
    this.#open.clear();
    await this.place.store.delete(this.#keys).catch(() => undefined);
  }

  async #add(
    id: string,
    values: PartitionValues,
    rows: readonly Row[],
    batch: ChangeBatch<Row>,
    indexes?: readonly number[],
  ): Promise<void> {
    let file = this.#open.get(id);
    if (file === undefined) {
      if (this.#open.size >= MAX_OPEN) await this.#endFullest();
      file = new DataFile<Row>(this.place, this.plan, this.settings, values);
      this.#keys.push(file.key);
      this.#open.set(id, file);
    }
    try {
      await file.write(rows);
    } catch (error) {
      throw withPlace(error, batch, indexes);
    }
    if (file.bytes >= this.settings.targetFileBytes) await this.#end(id);
    else if (this.#open.size > 1 && this.#bufferedBytes() > MAX_BUFFERED_BYTES) await this.#endFullest();
  }

  #bufferedBytes(): number {
    let bytes = 0;
    for (const file of this.#open.values()) bytes += file.bytesBuffered;
    return bytes;
  }

  async #endFullest(): Promise<void> {
    let [fullest, most] = ['', -1];
    for (const [id, file] of this.#open) {
      if (file.bytesBuffered > most) [fullest, most] = [id, file.bytesBuffered];
    }
    await this.#end(fullest);
  }

  async #end(id: string): Promise<void> {
    const file = this.#open.get(id);
    if (file === undefined) return;
    this.#finished.push(await file.finish());
    this.#open.delete(id);
  }
}

/** What tells partitions apart: null is not the text `null`. */
function partitionId(texts: readonly (string | null)[]): string {
  return texts.map((text) => (text === null ? '-' : `${text.length}:${text}`)).join('');
}

function partitionTexts<Row extends object>(
  columns: readonly PartitionColumn[],
  row: Row,
  index: number,
  batch: ChangeBatch<Row>,
): (string | null)[] {
  return columns.map(({ name, text }) => {
    try {
      return text(Reflect.get(row, name));
    } catch (error) {
      if (!isEosError(error, 'EOS_ROW')) throw error;
      const message = `column ${JSON.stringify(name)}: ${error.message}`;
      throw rowError(message, index, batch, { column: name }, error);
    }
  });
}

/** The error of a row, with where it came from. */
function withPlace<Row>(
  error: unknown,
  batch: ChangeBatch<Row>,
  indexes: readonly number[] | undefined,
): unknown {
  if (!isEosError(error, 'EOS_ROW')) return error;
  const { row } = error.details;
  if (typeof row !== 'number') return error;
  return rowError(error.message, indexes?.[row] ?? row, batch, error.details, error);
}

function rowError<Row>(
  message: string,
  index: number,
  { partition, offsets }: ChangeBatch<Row>,
  details: Readonly<Record<string, unknown>>,
  cause: unknown,
): EosError {
  const offset = offsets?.[index];
  const where = offset === undefined ? `row ${index} of a batch` : `offset ${offset}`;
  return new EosError('EOS_ROW', `${where} of partition ${partition}: ${message}`, {
    cause,
    details: { ...details, row: index, partition, ...(offset === undefined ? {} : { offset }) },
  });
}
