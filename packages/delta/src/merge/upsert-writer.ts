/** Mode upsert: rows become new files, and the rows that they replace go, by copy-on-write or by deletion vectors. */
import type { ChangeBatch } from '@eos/core';
import type { FilePlace, FileSettings } from '../files/data-file.js';
import { storedPlan } from '../files/stored-plan.js';
import type { TablePlan } from '../files/table-plan.js';
import type { AddFile, ChangeFile, Protocol } from '../log/actions.js';
import { dataKey } from '../log/paths.js';
import { hasChangeDataFeed, hasDeletionVectors } from '../log/protocol.js';
import type { TableState } from '../log/table-state.js';
import type { BoundsCache } from '../statistics/file-skipping.js';
import type { FileActions, TransactionWriter } from '../sink/writers.js';
import { ChangeFeed } from './change-feed.js';
import { FileIndex } from './file-index.js';
import { keyColumns, type KeyColumns } from './key-columns.js';
import { indexedColumn, keyBounds } from './key-conditions.js';
import { removeOf } from './rewritten-file.js';
import { rewritten, withVectors, type Replacements } from './replaced-files.js';
import { StagedChanges } from './staged-changes.js';
import { rowsOfKeys, stagedRewritten, stagedWithVectors, type StagedRows } from './staged-rows.js';
import { TouchedFiles, type TouchedFile } from './touched-files.js';

export interface UpsertOptions {
  readonly place: FilePlace;
  readonly plan: TablePlan;
  readonly protocol: Protocol;
  readonly settings: FileSettings;
  readonly key: readonly string[];
  /** Memory that keys may take before they go to the local disk. */
  readonly runBytes?: number;
}

/**
 * Makes the writers of a session.
 * @throws EOS_SCHEMA for a column that cannot be part of a key
 */
export function upsertWriters<Row>(options: UpsertOptions): () => TransactionWriter<Row> {
  const { plan, protocol, settings } = options;
  const columns = keyColumns(options.key, plan);
  const bloomFilters = Object.fromEntries(
    columns.inFiles
      .filter((name) => columns.schema.columns[name]?.type.kind !== 'boolean')
      .map((name) => [name, true as const]),
  );
  const bounds = keyBounds(columns);
  const session: Session = {
    ...options,
    columns,
    settings: { ...settings, bloomFilters },
    stored: storedPlan(plan.metadata),
    hasVectors: hasDeletionVectors(protocol, plan.metadata),
    hasFeed: hasChangeDataFeed(plan.metadata),
    bounds,
    index: new FileIndex(indexedColumn(columns), bounds),
  };
  return () => new UpsertWriter<Row>(session);
}

interface Session extends UpsertOptions {
  readonly columns: KeyColumns;
  readonly stored: TablePlan;
  readonly hasVectors: boolean;
  readonly hasFeed: boolean;
  readonly bounds: BoundsCache;
  readonly index: FileIndex;
}

const NO_ROWS: StagedRows = { adds: [], written: [], unused: [], positionOf: (_file, position) => position };

/** Memory: what {@link StagedChanges} takes; in a commit by copy-on-write one row group of each of two files, as values. */
class UpsertWriter<Row> implements TransactionWriter<Row> {
  readonly #changes: StagedChanges;
  readonly #touched: TouchedFiles;
  readonly #replacements: Replacements;
  readonly #feed: ChangeFeed;
  #rows = NO_ROWS;
  readonly #changeFiles: ChangeFile[] = [];

  constructor(private readonly session: Session) {
    const { place, plan, settings, columns, stored, hasVectors, hasFeed, runBytes } = session;
    this.#changes = new StagedChanges(place, plan, settings, columns, runBytes);
    const partitionColumns = plan.metadata.partitionColumns.flatMap(
      (name) => plan.fields.find((field) => field.name === name) ?? [],
    );
    this.#touched = new TouchedFiles(
      place,
      columns,
      partitionColumns,
      hasFeed,
      session.bounds,
      session.index,
    );
    this.#replacements = hasVectors ? withVectors(place) : rewritten(place, stored, settings);
    this.#feed = new ChangeFeed(place, stored, settings);
  }

  async write(batch: ChangeBatch<Row>): Promise<void> {
    // What is no object is refused, row by row, where its key is taken.
    await this.#changes.write(batch as ChangeBatch<unknown> as ChangeBatch<object>);
  }

  async prepare(): Promise<void> {
    const { place, stored, settings, hasVectors } = this.session;
    const staged = await this.#changes.finish();
    this.#rows = hasVectors
      ? await stagedWithVectors(place, staged)
      : await stagedRewritten(place, stored, settings, staged);
    await this.#delete(this.#rows.unused);
  }

  async fileActions(state: TableState): Promise<FileActions> {
    const touched = await this.#touched.find(this.#changes.keys, state.files);
    const now = Date.now();
    const replacements = await this.#replacements.of(touched);
    return {
      removes: touched.map(({ file }) => removeOf(file, now)),
      adds: [...this.#newFiles(), ...replacements],
      changeFiles: this.session.hasFeed ? await this.#changeFilesOf(touched) : [],
      // It has looked at what the table holds.
      isBlindAppend: false,
      operation: 'MERGE',
      parameters: { mode: 'Upsert' },
    };
  }

  async discard(): Promise<void> {
    await this.#changes.discard();
    await this.#delete(this.#newFiles());
    await this.#delete(this.#changeFiles);
    const keys = [...this.#rows.written, ...this.#replacements.keys()];
    await this.session.place.store.delete(keys).catch(() => undefined);
    await this.end();
  }

  async end(): Promise<void> {
    await this.#changes.keys.close();
  }

  #newFiles(): readonly AddFile[] {
    return this.#rows.adds.flatMap((add) => add ?? []);
  }

  /** None where rows are only added: readers then take the files themselves. */
  async #changeFilesOf(touched: readonly TouchedFile[]): Promise<readonly ChangeFile[]> {
    await this.#delete(this.#changeFiles.splice(0));
    if (touched.length === 0) return [];
    for (const file of touched) this.#changeFiles.push(await this.#feed.before(file));
    const { keys } = this.#changes;
    const updates = await rowsOfKeys(keys.all(), this.#touched.replacingKeys(touched), this.#rows.positionOf);
    for (const [index, add] of this.#rows.adds.entries()) {
      if (add !== undefined) this.#changeFiles.push(await this.#feed.after(add, updates.get(index)));
    }
    return [...this.#changeFiles];
  }

  async #delete(files: readonly { readonly path: string }[]): Promise<void> {
    const { store, place } = this.session.place;
    await store.delete(files.map(({ path }) => dataKey(place, path))).catch(() => undefined);
  }
}
