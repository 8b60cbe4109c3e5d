/** The keys of some changes: each has a number, from 0 on, in the order in which they came. */
import type { KeyColumns } from './key-columns.js';
import { IntegerKeys, type IntegerKeysImage } from './integer-keys.js';
import { TextKeys, type TextKeysImage } from './text-keys.js';

/** Values of columns by name, one a row. */
export type ColumnValues = ReadonlyMap<string, ArrayLike<unknown>>;

/** The number of the key of a row; -1 for none. */
export type FindKey = (row: number) => number;

export interface KeyTable {
  readonly size: number;
  /** About how many bytes of memory it takes. */
  readonly bytes: number;
  /**
   * The number of a row's key, which is taken where it is new.
   * @throws EOS_ROW with `details.column` where it has a null, or a value that is of another type
   */
  add(row: object): number;
  /**
   * Makes what looks up the rows of some columns.
   * @param constants values of columns that are the same in all rows
   */
  finder(columns: ColumnValues, constants?: ReadonlyMap<string, unknown>): FindKey;
  /** The values of each column of the key, by number. */
  values(): ColumnValues;
  /** Plain data, to be kept outside of memory. */
  image(): KeyTableImage;
}

export type KeyTableImage = IntegerKeysImage | TextKeysImage;

export function keyTable(keys: KeyColumns): KeyTable {
  return keys.integer === undefined ? new TextKeys(keys) : new IntegerKeys(keys.names[0] ?? '', keys.integer);
}

/** The table of an image of one with the same columns. */
export function keyTableOf(keys: KeyColumns, image: KeyTableImage): KeyTable {
  if ('low' in image) return new IntegerKeys(keys.names[0] ?? '', keys.integer ?? 'int64', image);
  return new TextKeys(keys, image);
}
