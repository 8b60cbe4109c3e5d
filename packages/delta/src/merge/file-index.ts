/** The live files of a table with the bounds of a key's column, for as long as a session: who commits often asks often. */
import type { AddFile } from '../log/actions.js';
import type { LiveFiles } from '../log/live-files.js';
import type { BoundsCache } from '../statistics/file-skipping.js';
import { comparableRank, type Comparable } from '../statistics/value-order.js';

/** Memory: a file takes about 100 bytes here, beside its parsed bounds. */
export class FileIndex {
  readonly #places = new Map<string, number>();
  readonly #files: AddFile[] = [];
  /** No value is below, or above, as ranks. */
  #low = new Float64Array(64);
  #high = new Float64Array(64);
  /** Ascending with the time at which a file was taken. */
  #sequence = new Float64Array(64);
  #next = 0;
  #followed: LiveFiles | undefined;
  #mark = 0;

  /**
   * @param column the column of the key to go by; undefined for none
   */
  constructor(
    readonly column: string | undefined,
    private readonly bounds: BoundsCache,
  ) {}

  /** What the next file that is taken will have: files with this sequence or a later one come after now. */
  get next(): number {
    return this.#next;
  }

  /**
   * Takes files that came, and drops those that went: what commits did since the last time, or all where that is not known.
   * @param live the current files of the same
   */
  follow(files: LiveFiles, live: ReadonlyMap<string, AddFile>): void {
    const commits = files === this.#followed ? files.since(this.#mark) : undefined;
    this.#followed = files;
    this.#mark = files.mark;
    if (commits === undefined) {
      for (const path of [...this.#places.keys()]) this.#drop(path);
      for (const file of live.values()) this.#take(file);
      return;
    }
    for (const { removes, adds } of commits) {
      for (const { path } of [...removes, ...adds]) this.#refresh(path, live.get(path));
    }
  }

  /** Files, taken at `since` or later, that may have a value in the range. */
  within(least: Comparable | undefined, greatest: Comparable | undefined, since: number): readonly AddFile[] {
    const from = least === undefined ? -Infinity : comparableRank(least);
    const to = greatest === undefined ? Infinity : comparableRank(greatest);
    const found: AddFile[] = [];
    for (let at = 0; at < this.#files.length; at++) {
      const isOutside = (this.#high[at] ?? 0) < from || (this.#low[at] ?? 0) > to;
      if (isOutside || (this.#sequence[at] ?? 0) < since) continue;
      const file = this.#files[at];
      if (file !== undefined) found.push(file);
    }
    return found;
  }

  #refresh(path: string, live: AddFile | undefined): void {
    const place = this.#places.get(path);
    if ((place === undefined ? undefined : this.#files[place]) === live) return;
    this.#drop(path);
    if (live !== undefined) this.#take(live);
  }

  #take(file: AddFile): void {
    const place = this.#files.push(file) - 1;
    if (place >= this.#low.length) this.#grow();
    const bounds = this.column === undefined ? undefined : this.bounds.of(file).columns.get(this.column);
    this.#low[place] = bounds?.min === undefined ? -Infinity : comparableRank(bounds.min);
    this.#high[place] = bounds?.max === undefined ? Infinity : comparableRank(bounds.max);
    this.#sequence[place] = this.#next++;
    this.#places.set(file.path, place);
  }

  /** The last one takes its place. */
  #drop(path: string): void {
    const place = this.#places.get(path);
    if (place === undefined) return;
    this.#places.delete(path);
    const last = this.#files.pop();
    if (last === undefined || place === this.#files.length) return;
    const from = this.#files.length;
    this.#files[place] = last;
    this.#low[place] = this.#low[from] ?? -Infinity;
    this.#high[place] = this.#high[from] ?? Infinity;
    this.#sequence[place] = this.#sequence[from] ?? 0;
    this.#places.set(last.path, place);
  }

  #grow(): void {
    this.#low = grown(this.#low);
    this.#high = grown(this.#high);
    this.#sequence = grown(this.#sequence);
  }
}

function grown(array: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(2 * array.length);
  larger.set(array);
  return larger;
}
