/**
 * Files of the change data feed: what a commit does to rows, where its files do not tell.
 * https://github.com/delta-io/delta/blob/master/PROTOCOL.md#change-data-files
 */
import type { RowSet } from '../deletion-vectors/row-set.js';
import { copyRows, type CopyOptions } from '../files/copy-rows.js';
import { DataFile, type FilePlace, type FileSettings } from '../files/data-file.js';
import { openFile } from '../files/open-file.js';
import type { TablePlan } from '../files/table-plan.js';
import type { AddFile, ChangeFile } from '../log/actions.js';
import type { TouchedFile } from './touched-files.js';

export const CHANGE_TYPE = '_change_type';

export type ChangeType = 'insert' | 'update_preimage' | 'update_postimage' | 'delete';

const KIND = { folder: '_change_data/', name: 'cdc' } as const;

export class ChangeFeed {
  readonly #plan: TablePlan;
  readonly #columns: readonly string[];
  readonly #settings: FileSettings;

  /** @param plan of stored values */
  constructor(
    private readonly place: FilePlace,
    plan: TablePlan,
    { compression, rowGroupBytes, targetFileBytes }: FileSettings,
  ) {
    const type = { name: CHANGE_TYPE, type: { kind: 'string' }, isNullable: true } as const;
    this.#plan = { ...plan, dataFields: [...plan.dataFields, type] };
    this.#columns = plan.dataFields.map(({ name }) => name);
    // Nobody looks for keys there.
    this.#settings = { compression, rowGroupBytes, targetFileBytes };
  }

  /** The rows of a file that go. */
  async before({ file, rows, replaced }: TouchedFile): Promise<ChangeFile> {
    const typeOf = (position: number): ChangeType => (replaced.has(position) ? 'update_preimage' : 'delete');
    return await this.#write(file, { only: rows }, typeOf);
  }

  /**
   * The rows of a new file.
   * @param updates those that take the place of another row
   */
  async after(file: AddFile, updates: RowSet | undefined): Promise<ChangeFile> {
    const typeOf = (position: number): ChangeType =>
      updates?.has(position) === true ? 'update_postimage' : 'insert';
    return await this.#write(file, {}, typeOf);
  }

  async #write(
    file: AddFile,
    rows: Pick<CopyOptions, 'only'>,
    valueOf: (position: number) => ChangeType,
  ): Promise<ChangeFile> {
    const source = await openFile(this.place, file);
    const target = new DataFile<object>(this.place, this.#plan, this.#settings, file.partitionValues, KIND);
    try {
      await copyRows(source, target, {
        ...rows,
        columns: this.#columns,
        added: { name: CHANGE_TYPE, valueOf },
      });
      const { path, partitionValues, size } = await target.finish();
      return { path, partitionValues, size };
    } catch (error) {
      await target.abort();
      throw error;
    }
  }
}
