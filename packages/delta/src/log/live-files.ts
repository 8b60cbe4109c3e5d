/** The files of a table as of a version: those that are live, and the tombstones of those that were removed. */
import {
  deletionVectorId,
  type AddFile,
  type CommitActions,
  type DeletionVector,
  type RemoveFile,
} from './actions.js';

/** Files at one version. */
export interface FileSet {
  /** By path, as the log has it: a path is live with one deletion vector at a time. */
  readonly adds: ReadonlyMap<string, AddFile>;
  /** By path and deletion vector. */
  readonly removes: ReadonlyMap<string, RemoveFile>;
}

type FileActions = Pick<CommitActions, 'adds' | 'removes'>;

/** Commits that are remembered for who follows them. */
const RECENT_COMMITS = 128;

/**
 * Follows the log. The files of the checkpoint below are read only when somebody asks for files: one who appends needs them for
 * checkpoints alone.
 *
 * Memory: what commits since the checkpoint did to files; after the first {@link LiveFiles.current} all live files and tombstones, about
 * 0.6 KB each with statistics of six columns.
 */
export class LiveFiles {
  readonly #adds = new Map<string, AddFile>();
  readonly #removes = new Map<string, RemoveFile>();
  #tail: FileActions[] = [];
  /** How many commits were taken from the front of the tail. */
  #drained = 0;
  /** What the last commits did, and how many were forgotten. */
  readonly #recent: FileActions[] = [];
  #forgotten = 0;
  #isLoaded: boolean;
  #loading: Promise<void> | undefined;

  /** @param readBase the files of the checkpoint, in any order; undefined: the table began with the first commit that is applied */
  constructor(private readonly readBase: (() => Promise<FileActions>) | undefined) {
    this.#isLoaded = readBase === undefined;
  }

  /** Takes the next commit. */
  apply({ adds, removes }: FileActions): void {
    if (this.#isLoaded && this.#tail.length === 0) this.#takeCommit({ adds, removes });
    else if (adds.length > 0 || removes.length > 0) this.#tail.push({ adds, removes });
  }

  /** How many commits {@link LiveFiles.current} has taken. */
  get mark(): number {
    return this.#forgotten + this.#recent.length;
  }

  /** What commits did since a mark; undefined where that is forgotten. */
  since(mark: number): readonly FileActions[] | undefined {
    return mark < this.#forgotten ? undefined : this.#recent.slice(mark - this.#forgotten);
  }

  /** The files now. The maps follow the log: use them before the next commit is applied, or copy them. */
  async current(): Promise<FileSet> {
    await this.#load();
    this.#drain(this.#drained + this.#tail.length);
    return { adds: this.#adds, removes: this.#removes };
  }

  /** A copy of the files as they are when this is called, whatever is applied meanwhile. */
  async copy(): Promise<FileSet> {
    const end = this.#drained + this.#tail.length;
    await this.#load();
    this.#drain(end);
    return { adds: new Map(this.#adds), removes: new Map(this.#removes) };
  }

  async #load(): Promise<void> {
    if (this.#isLoaded || this.readBase === undefined) return;
    this.#loading ??= this.readBase().then(
      (base) => {
        this.#take(base);
        this.#isLoaded = true;
      },
      (error: unknown) => {
        this.#loading = undefined;
        throw error;
      },
    );
    await this.#loading;
  }

  #drain(end: number): void {
    const count = Math.max(0, end - this.#drained);
    for (const actions of this.#tail.splice(0, count)) this.#takeCommit(actions);
    this.#drained += count;
  }

  #takeCommit(actions: FileActions): void {
    this.#recent.push(actions);
    if (this.#recent.length > RECENT_COMMITS)
      this.#forgotten += this.#recent.splice(0, RECENT_COMMITS / 2).length;
    this.#take(actions);
  }

  #take({ adds, removes }: FileActions): void {
    for (const remove of removes) {
      const vector = deletionVectorId(remove.deletionVector);
      const live = this.#adds.get(remove.path);
      if (live !== undefined && deletionVectorId(live.deletionVector) === vector)
        this.#adds.delete(remove.path);
      this.#removes.set(fileId(remove), remove);
    }
    for (const add of adds) {
      this.#adds.set(add.path, add);
      this.#removes.delete(fileId(add));
    }
  }
}

function fileId(file: { readonly path: string; readonly deletionVector?: DeletionVector }): string {
  return `${file.path}\n${deletionVectorId(file.deletionVector)}`;
}
