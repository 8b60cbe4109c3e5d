/** Keys of a transaction with what became of each: a run of them, kept outside of memory where there are many. */
import { readFile, writeFile } from 'node:fs/promises';
import { deserialize, serialize } from 'node:v8';
import type { KeyColumns } from './key-columns.js';
import { keyTable, keyTableOf, type KeyTable, type KeyTableImage } from './key-table.js';

/** In place of a file: the key was deleted. */
const DELETED = -1;

/** Where the row of each key is: a file of those that were staged, and the position in it. */
export class KeyRun {
  #files: Int32Array;
  #positions: Float64Array;

  constructor(
    readonly keys: KeyTable,
    files = new Int32Array(1024).fill(DELETED),
    positions = new Float64Array(1024),
  ) {
    this.#files = files;
    this.#positions = positions;
  }

  static empty(columns: KeyColumns): KeyRun {
    return new KeyRun(keyTable(columns));
  }

  get bytes(): number {
    return this.keys.bytes + 12 * this.#files.length;
  }

  /** The place of a key's row; undefined where it has none. */
  rowOf(key: number): { readonly file: number; readonly position: number } | undefined {
    const file = this.#files[key] ?? DELETED;
    return file === DELETED ? undefined : { file, position: this.#positions[key] ?? 0 };
  }

  setRow(key: number, file: number, position: number): void {
    this.#ensure(key);
    this.#files[key] = file;
    this.#positions[key] = position;
  }

  setDeleted(key: number): void {
    this.#ensure(key);
    this.#files[key] = DELETED;
  }

  isDeleted(key: number): boolean {
    return (this.#files[key] ?? DELETED) === DELETED;
  }

  /** Writes the run to a file of this machine. */
  async save(path: string): Promise<void> {
    const { size } = this.keys;
    const image: RunImage = {
      keys: this.keys.image(),
      files: this.#files.slice(0, size),
      positions: this.#positions.slice(0, size),
    };
    await writeFile(path, serialize(image), { mode: 0o600 });
  }

  static async load(columns: KeyColumns, path: string): Promise<KeyRun> {
    // Written by `save` of this process, in a folder of its own.
    const { keys, files, positions } = deserialize(await readFile(path)) as RunImage;
    return new KeyRun(keyTableOf(columns, keys), files, positions);
  }

  #ensure(key: number): void {
    if (key < this.#files.length) return;
    const files = new Int32Array(2 * this.#files.length).fill(DELETED);
    files.set(this.#files);
    const positions = new Float64Array(files.length);
    positions.set(this.#positions);
    this.#files = files;
    this.#positions = positions;
    this.#ensure(key);
  }
}

interface RunImage {
  readonly keys: KeyTableImage;
  readonly files: Int32Array<ArrayBuffer>;
  readonly positions: Float64Array<ArrayBuffer>;
}
