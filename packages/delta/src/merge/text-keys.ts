/** Keys of any columns, told apart by a text. */
import { keyTextOf } from '@eos/core';
import type { KeyColumns } from './key-columns.js';
import type { ColumnValues, FindKey, KeyTable } from './key-table.js';

export interface TextKeysImage {
  readonly numbers: ReadonlyMap<string, number>;
  readonly columns: readonly unknown[][];
  readonly bytes: number;
}

/** What an entry of a map takes beside its text. */
const ENTRY_BYTES = 64;

/** Memory: the texts of the keys, and their values. */
export class TextKeys implements KeyTable {
  readonly #keyText: (row: object) => string;
  readonly #numbers: Map<string, number>;
  readonly #columns: readonly unknown[][];
  #bytes: number;

  constructor(
    private readonly keys: KeyColumns,
    image: TextKeysImage = { numbers: new Map(), columns: keys.names.map(() => []), bytes: 0 },
  ) {
    this.#keyText = keyTextOf(keys.names, keys.schema);
    this.#numbers = new Map(image.numbers);
    this.#columns = image.columns;
    this.#bytes = image.bytes;
  }

  get size(): number {
    return this.#numbers.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(row: object): number {
    const text = this.#keyText(row);
    const found = this.#numbers.get(text);
    if (found !== undefined) return found;
    const number = this.#numbers.size;
    this.#numbers.set(text, number);
    this.keys.names.forEach((name, at) => {
      const value: unknown = Reflect.get(row, name);
      // As files have it.
      const isUuid = this.keys.schema.columns[name]?.type.kind === 'uuid' && typeof value === 'string';
      this.#columns[at]?.push(isUuid ? value.toLowerCase() : value);
    });
    this.#bytes += ENTRY_BYTES + 2 * text.length;
    return number;
  }

  finder(columns: ColumnValues, constants: ReadonlyMap<string, unknown> = new Map()): FindKey {
    // One object for all rows.
    const key: Record<string, unknown> = Object.fromEntries(constants);
    const parts = this.keys.names.flatMap((name) => {
      const values = columns.get(name);
      return values === undefined ? [] : [{ name, values }];
    });
    const isWhole = this.keys.names.every((name) => columns.has(name) || isThere(constants.get(name)));
    if (!isWhole) return () => -1;
    return (row) => {
      for (const { name, values } of parts) {
        const value = values[row];
        if (!isThere(value)) return -1;
        key[name] = value;
      }
      return this.#numbers.get(this.#keyText(key)) ?? -1;
    };
  }

  values(): ColumnValues {
    return new Map(this.keys.names.map((name, at) => [name, this.#columns[at] ?? []]));
  }

  image(): TextKeysImage {
    return { numbers: this.#numbers, columns: this.#columns, bytes: this.#bytes };
  }
}

function isThere(value: unknown): boolean {
  return value !== null && value !== undefined;
}
