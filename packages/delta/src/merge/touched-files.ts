/** Files of the table that have rows of some keys: found once, and again only for files that came since. */
import { RowSet } from '../deletion-vectors/row-set.js';
import type { FilePlace } from '../files/data-file.js';
import { openFile, type OpenFile } from '../files/open-file.js';
import type { AddFile } from '../log/actions.js';
import type { LiveFiles } from '../log/live-files.js';
import type { DeltaField } from '../schema/delta-schema.js';
import { partitionValueOf } from '../schema/partition-texts.js';
import { fileFilter, type BoundsCache } from '../statistics/file-skipping.js';
import { findHits } from './file-hits.js';
import type { FileIndex } from './file-index.js';
import type { KeyColumns } from './key-columns.js';
import { keyConditions, rowGroupFilters } from './key-conditions.js';
import type { KeyRun } from './key-run.js';
import type { KeyRuns } from './key-runs.js';
import { eachLimited } from './limited.js';

/** Files that are looked into at once. */
const PARALLEL = 4;

/** What a transaction does to one file. */
export interface TouchedFile {
  readonly file: AddFile;
  /** All rows of the file, deleted ones too. */
  readonly rowCount: number;
  /** Rows that were deleted before. */
  readonly deleted: RowSet | undefined;
  /** Rows that go. */
  readonly rows: RowSet;
  /** Those of them whose key gets another row. Only with a change data feed. */
  readonly replaced: RowSet;
}

/** Memory: positions of rows, and with a change data feed the keys that were found. */
export class TouchedFiles {
  /** Files before this one in the index were looked into, or passed over. */
  #seen = 0;
  readonly #touched = new Map<AddFile, TouchedFile>();
  /** Touched files that somebody else has replaced meanwhile. */
  readonly #gone = new WeakSet<AddFile>();
  /** By run, the keys of changes that replace a row. Only with a change data feed. */
  readonly #replacing = new Map<AddFile, Map<number, RowSet>>();

  constructor(
    private readonly place: FilePlace,
    private readonly columns: KeyColumns,
    private readonly partitionColumns: readonly DeltaField[],
    private readonly hasChangeFeed: boolean,
    /** Both for as long as a session. */
    private readonly bounds: BoundsCache,
    private readonly index: FileIndex,
  ) {}

  /**
   * Looks into the files that it has not seen yet; returns those that are touched.
   */
  async find(keys: KeyRuns, files: LiveFiles): Promise<readonly TouchedFile[]> {
    const { adds: live } = await files.current();
    for (const file of this.#touched.keys()) if (live.get(file.path) !== file) this.#gone.add(file);
    this.index.follow(files, live);
    const since = this.#seen;
    this.#seen = this.index.next;
    if (since < this.#seen) {
      let number = 0;
      for await (const run of keys.all()) await this.#look(run, number++, since);
    }
    return [...this.#touched.values()].filter(({ file }) => !this.#gone.has(file));
  }

  replacingKeys(files: readonly TouchedFile[]): ReadonlyMap<number, RowSet> {
    const all = new Map<number, RowSet>();
    for (const { file } of files) {
      for (const [run, keys] of this.#replacing.get(file) ?? []) {
        const known = all.get(run) ?? new RowSet();
        known.addAll(keys);
        all.set(run, known);
      }
    }
    return all;
  }

  async #look(run: KeyRun, index: number, since: number): Promise<void> {
    if (run.keys.size === 0) return;
    const conditions = keyConditions(this.columns, run.keys);
    const isCandidate = fileFilter(conditions, this.partitionColumns, this.bounds);
    const filters = rowGroupFilters(conditions, this.columns);
    const first = conditions.find(({ column }) => column === this.index.column);
    const candidates = this.index.within(first?.least, first?.greatest, since).filter(isCandidate);
    await eachLimited(candidates, PARALLEL, async (file) => {
      const open = await openFile(this.place, file);
      await findHits(open, this.columns, run.keys, filters, this.#constants(file), (position, key) => {
        this.#touch(file, open).rows.add(position);
        // A run says of a key that a later one has too that it is deleted: only the last change counts.
        if (this.hasChangeFeed && !run.isDeleted(key)) this.#replace(file, open, position, index, key);
      });
    });
  }

  #touch(file: AddFile, { parquet, deleted }: OpenFile): TouchedFile {
    const known = this.#touched.get(file);
    if (known !== undefined) return known;
    const touched = { file, rowCount: parquet.rowCount, deleted, rows: new RowSet(), replaced: new RowSet() };
    this.#touched.set(file, touched);
    return touched;
  }

  #replace(file: AddFile, open: OpenFile, position: number, run: number, key: number): void {
    this.#touch(file, open).replaced.add(position);
    const byRun = this.#replacing.get(file) ?? new Map<number, RowSet>();
    const keys = byRun.get(run) ?? new RowSet();
    keys.add(key);
    this.#replacing.set(file, byRun.set(run, keys));
  }

  #constants(file: AddFile): ReadonlyMap<string, unknown> {
    return new Map(
      this.partitionColumns.map((field) => [
        field.name,
        partitionValueOf(field)(file.partitionValues[field.name]),
      ]),
    );
  }
}
