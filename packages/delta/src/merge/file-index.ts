/** The live files of a table with the bounds of a key's first column, for as long as a session: who commits often asks often. */
import type { AddFile } from '../log/actions.js';
import type { BoundsCache } from '../statistics/file-skipping.js';
import { comparableRank, type Comparable } from '../statistics/value-order.js';

interface Entries {
  readonly files: AddFile[];
  /** No value is below, or above, as ranks. */
  low: Float64Array;
  high: Float64Array;
  /** Ascending with the time at which a file was taken. */
  sequence: Float64Array;
}

/** Memory: a file takes 32 bytes here, beside its parsed bounds. */
export class FileIndex {
  #now = emptyEntries();
  #spare = emptyEntries();
  #next = 0;

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

  /** Takes files that came, and drops those that went. New files are behind the others in a log, so that this is one pass. */
  follow(live: ReadonlyMap<string, AddFile>): void {
    const [from, to] = [this.#now, roomFor(this.#spare, live.size)];
    to.files.length = live.size;
    let read = 0;
    let write = 0;
    for (const file of live.values()) {
      const found = from.files[read] === file ? read : from.files.indexOf(file, read);
      to.files[write] = file;
      if (found >= 0) {
        to.low[write] = from.low[found] ?? -Infinity;
        to.high[write] = from.high[found] ?? Infinity;
        to.sequence[write] = from.sequence[found] ?? 0;
        read = found + 1;
      } else this.#take(to, write, file);
      write += 1;
    }
    this.#now = to;
    this.#spare = from;
  }

  /** Files, taken at `since` or later, that may have a value in the range. */
  within(least: Comparable | undefined, greatest: Comparable | undefined, since: number): readonly AddFile[] {
    const { files, low, high, sequence } = this.#now;
    const from = least === undefined ? -Infinity : comparableRank(least);
    const to = greatest === undefined ? Infinity : comparableRank(greatest);
    const found: AddFile[] = [];
    for (let at = 0; at < files.length; at++) {
      if ((high[at] ?? 0) < from || (low[at] ?? 0) > to || (sequence[at] ?? 0) < since) continue;
      const file = files[at];
      if (file !== undefined) found.push(file);
    }
    return found;
  }

  #take(entries: Entries, at: number, file: AddFile): void {
    const bounds = this.column === undefined ? undefined : this.bounds.of(file).columns.get(this.column);
    entries.low[at] = bounds?.min === undefined ? -Infinity : comparableRank(bounds.min);
    entries.high[at] = bounds?.max === undefined ? Infinity : comparableRank(bounds.max);
    entries.sequence[at] = this.#next++;
  }
}

function emptyEntries(): Entries {
  return { files: [], low: new Float64Array(64), high: new Float64Array(64), sequence: new Float64Array(64) };
}

function roomFor(entries: Entries, count: number): Entries {
  if (entries.low.length < count) {
    entries.low = new Float64Array(2 * count);
    entries.high = new Float64Array(2 * count);
    entries.sequence = new Float64Array(2 * count);
  }
  return entries;
}
