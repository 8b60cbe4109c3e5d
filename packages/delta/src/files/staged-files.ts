/** The data files of one transaction: rows sorted into partitions, files that end when they are large enough. */
import { isEosError, type ChangeBatch } from '@eos/core';
import type { AddFile, PartitionValues } from '../log/actions.js';
import { DataFile, type FilePlace, type FileSettings } from './data-file.js';
import { rowError, withPlace } from './row-error.js';
import type { PartitionColumn, TablePlan } from './table-plan.js';

/** Files that are open at once: each holds a row group. */
const MAX_OPEN = 64;
/** What open files may hold together, beside one row group. */
const MAX_BUFFERED_BYTES = 64 * 1024 * 1024;

/**
 * Told where rows of a batch went: `count` of them to the file with that index, from that position on.
 * @param indexes of them in the batch; absent: all of it, in its order
 */
export type OnPlaced = (
  file: number,
  position: number,
  count: number,
  indexes: readonly number[] | undefined,
) => void;

const NO_PARTITION: PartitionValues = Object.freeze({});

/**
 * Takes rows, and keeps none longer than it must.
 *
 * Memory: one row group; with partitions 64 MiB of row groups more, and 64 open files. Beyond that the fullest file ends early.
 */
export class StagedFiles<Row extends object> {
  readonly #open = new Map<string, { readonly file: DataFile<Row>; readonly index: number }>();
  /** By the index of the file. */
  readonly #finished: AddFile[] = [];
  readonly #keys: string[] = [];

  constructor(
    private readonly place: FilePlace,
    private readonly plan: TablePlan,
    private readonly settings: FileSettings,
    private readonly onPlaced: OnPlaced = () => undefined,
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

  /** Ends all files: everything is durable, nothing visible. They are in the order in which they were begun. */
  async finish(): Promise<readonly AddFile[]> {
    for (const id of [...this.#open.keys()]) await this.#end(id);
    return this.#finished;
  }

  /** Deletes what was written. Never to be called once a commit was sent. Never throws. */
  async discard(): Promise<void> {
    await Promise.all([...this.#open.values()].map(({ file }) => file.abort()));
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
    let open = this.#open.get(id);
    if (open === undefined) {
      if (this.#open.size >= MAX_OPEN) await this.#endFullest();
      const file = new DataFile<Row>(this.place, this.plan, this.settings, values);
      open = { file, index: this.#keys.push(file.key) - 1 };
      this.#open.set(id, open);
    }
    const { file, index } = open;
    this.onPlaced(index, file.rowCount, rows.length, indexes);
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
    for (const { file } of this.#open.values()) bytes += file.bytesBuffered;
    return bytes;
  }

  async #endFullest(): Promise<void> {
    let [fullest, most] = ['', -1];
    for (const [id, { file }] of this.#open) {
      if (file.bytesBuffered > most) [fullest, most] = [id, file.bytesBuffered];
    }
    await this.#end(fullest);
  }

  async #end(id: string): Promise<void> {
    const open = this.#open.get(id);
    if (open === undefined) return;
    this.#finished[open.index] = await open.file.finish();
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
