/** One column of a row group in the making: its values that are there, and for each entry at which level of its path it ends. */
import type { Leaf } from '../schema/elements.js';
import { grown } from './numbers.js';
import { typedValues, type AddValue, type ColumnValues } from './value-adders.js';

/** What one leaf holds of a row group. Levels are Dremel's: https://github.com/apache/parquet-format#nested-encoding */
export interface LeafData {
  readonly leaf: Leaf;
  /** Those that are not null. */
  readonly values: ColumnValues;
  /** Values and nulls. */
  readonly entries: number;
  readonly nulls: number;
  /** One for each entry (what follows them is not in use); of no length where the leaf has no such levels. */
  readonly definitions: Uint8Array;
  readonly repetitions: Uint8Array;
}

export interface LeafMark {
  readonly entries: number;
  readonly nulls: number;
}

function checked(check: AddValue, add: AddValue): AddValue {
  return (value) => {
    check(value);
    add(value);
  };
}

export class LeafColumn implements LeafData {
  readonly values: ColumnValues;
  entries = 0;
  nulls = 0;
  definitions: Uint8Array<ArrayBuffer>;
  repetitions: Uint8Array<ArrayBuffer>;
  private readonly add: AddValue;

  constructor(
    readonly leaf: Leaf,
    check?: AddValue,
  ) {
    const { values, add } = typedValues(leaf.type);
    this.values = values;
    this.add = check === undefined ? add : checked(check, add);
    this.definitions = new Uint8Array(leaf.maxDefinition > 0 ? 1024 : 0);
    this.repetitions = new Uint8Array(leaf.maxRepetition > 0 ? 1024 : 0);
  }

  /** @throws EOS_ROW with the reason; nothing is added then */
  addValue(value: unknown, repetition: number): void {
    this.add(value);
    this.addLevels(this.leaf.maxDefinition, repetition);
  }

  /** Something on the path is null or empty at this level. */
  addNull(definition: number, repetition: number): void {
    this.addLevels(definition, repetition);
    this.nulls += 1;
  }

  private addLevels(definition: number, repetition: number): void {
    const at = this.entries++;
    if (this.definitions.length > 0) {
      if (at === this.definitions.length) this.definitions = grown(this.definitions, Uint8Array);
      this.definitions[at] = definition;
    }
    if (this.repetitions.length > 0) {
      if (at === this.repetitions.length) this.repetitions = grown(this.repetitions, Uint8Array);
      this.repetitions[at] = repetition;
    }
  }

  get byteSize(): number {
    const levels = (this.definitions.length > 0 ? 1 : 0) + (this.repetitions.length > 0 ? 1 : 0);
    return this.values.byteSize + levels * this.entries;
  }

  mark(): LeafMark {
    return { entries: this.entries, nulls: this.nulls };
  }

  /** Forgets all that came after the mark. */
  restore({ entries, nulls }: LeafMark): void {
    this.entries = entries;
    this.nulls = nulls;
    this.values.truncate(entries - nulls);
  }

  clear(): void {
    this.restore({ entries: 0, nulls: 0 });
  }
}
