/** The changes of one transaction: folded to the last one of each key, rows in files that no commit names yet. */
import { isEosError, isRetraction, type ChangeBatch } from '@eos/core';
import { RowSet } from '../deletion-vectors/row-set.js';
import type { FilePlace, FileSettings } from '../files/data-file.js';
import { rowError } from '../files/row-error.js';
import { StagedFiles } from '../files/staged-files.js';
import type { TablePlan } from '../files/table-plan.js';
import type { AddFile } from '../log/actions.js';
import type { KeyColumns } from './key-columns.js';
import { KeyRuns } from './key-runs.js';

export interface StagedFile {
  readonly add: AddFile;
  /** Rows of which a later change of the same transaction is the last. */
  readonly superseded: RowSet | undefined;
}

/** Memory: what {@link StagedFiles} takes, and {@link KeyRuns}. */
export class StagedChanges {
  readonly keys: KeyRuns;
  readonly #files: StagedFiles<object>;
  readonly #superseded = new Map<number, RowSet>();
  /** For each row of the batch at hand, the number of its key. */
  #numbers = new Int32Array(0);
  /** For each key, the row of the batch at hand with its last change. */
  #last = new Int32Array(1024);
  /** The rows of the batch that are written; undefined for all. */
  #written: readonly number[] | undefined;

  constructor(
    place: FilePlace,
    plan: TablePlan,
    settings: FileSettings,
    columns: KeyColumns,
    runBytes?: number,
  ) {
    this.keys = new KeyRuns(columns, runBytes);
    this.#files = new StagedFiles<object>(place, plan, settings, (file, position, count, indexes) =>
      this.#placed(file, position, count, indexes),
    );
  }

  /** @throws EOS_ROW with partition, offset and column */
  async write(batch: ChangeBatch<object>): Promise<void> {
    await this.keys.makeRoom();
    this.#foldKeys(batch);
    const { rows, ops, offsets } = batch;
    const written: number[] = [];
    const run = this.keys.current;
    for (let row = 0; row < rows.length; row++) {
      const key = this.#numbers[row] ?? 0;
      if (this.#last[key] !== row) continue;
      if (!isRetraction(ops?.[row] ?? 0)) written.push(row);
      else {
        this.#supersede(run.rowOf(key));
        run.setDeleted(key);
      }
    }
    this.#written = written.length === rows.length ? undefined : written;
    if (written.length === 0) return;
    const { partition } = batch;
    if (this.#written === undefined) {
      await this.#files.write({ rows, partition, ...(offsets === undefined ? {} : { offsets }) });
      return;
    }
    const kept = written.flatMap((row) => rows[row] ?? []);
    const keptOffsets = offsets && BigInt64Array.from(written, (row) => offsets[row] ?? 0n);
    await this.#files.write({
      rows: kept,
      partition,
      ...(keptOffsets === undefined ? {} : { offsets: keptOffsets }),
    });
  }

  /** Ends all files: everything is durable, nothing visible. */
  async finish(): Promise<readonly StagedFile[]> {
    const adds = await this.#files.finish();
    for await (const { older, numbers } of this.keys.overlaps()) {
      for (const number of numbers) {
        this.#supersede(older.rowOf(number));
        older.setDeleted(number);
      }
    }
    return adds.map((add, index) => ({ add, superseded: this.#superseded.get(index) }));
  }

  /** Deletes what was written. Never throws. */
  async discard(): Promise<void> {
    await this.#files.discard();
  }

  #foldKeys({ rows, partition, offsets }: ChangeBatch<object>): void {
    const { keys } = this.keys.current;
    if (this.#numbers.length < rows.length) this.#numbers = new Int32Array(2 * rows.length);
    for (let row = 0; row < rows.length; row++) {
      const number = numberOf(keys, rows[row], row, {
        partition,
        ...(offsets === undefined ? {} : { offsets }),
      });
      this.#numbers[row] = number;
      if (number >= this.#last.length) this.#last = grown(this.#last, number);
      this.#last[number] = row;
    }
  }

  #placed(file: number, position: number, count: number, indexes: readonly number[] | undefined): void {
    const run = this.keys.current;
    for (let at = 0; at < count; at++) {
      const index = indexes?.[at] ?? at;
      const key = this.#numbers[this.#written?.[index] ?? index] ?? 0;
      this.#supersede(run.rowOf(key));
      run.setRow(key, file, position + at);
    }
  }

  #supersede(row: { readonly file: number; readonly position: number } | undefined): void {
    if (row === undefined) return;
    let rows = this.#superseded.get(row.file);
    if (rows === undefined) {
      rows = new RowSet();
      this.#superseded.set(row.file, rows);
    }
    rows.add(row.position);
  }
}

function numberOf(
  keys: { add(row: object): number },
  row: unknown,
  index: number,
  origin: Pick<ChangeBatch<object>, 'partition' | 'offsets'>,
): number {
  try {
    return keys.add(typeof row === 'object' && row !== null ? row : {});
  } catch (error) {
    if (!isEosError(error, 'EOS_ROW')) throw error;
    throw rowError(error.message, index, origin, error.details, error);
  }
}

function grown(array: Int32Array<ArrayBuffer>, index: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(Math.max(2 * array.length, index + 1));
  larger.set(array);
  return larger;
}
