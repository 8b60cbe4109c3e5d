/**
 * Values of a field into the columns of its leaves, by the Dremel rules that Parquet uses: a struct is spread over its fields, a list
 * or a map adds one entry for each element, and where something on the way is null or empty, every leaf below it gets one entry that
 * says at which level.
 */
import { EosError, isEosError, messageOf } from '@eos/core';
import { shownPath, type Leaf } from '../schema/elements.js';
import { isScalar, type ParquetElement, type ParquetField, type ScalarType } from '../schema/field.js';
import { shown } from '../values/refuse.js';
import { LeafColumn } from './leaf-column.js';

/** Takes the values of one field. */
export interface Shredder {
  /** One value, or null. Throws EOS_ROW, naming the path, for one that does not fit; some leaves may then have entries of it. */
  add(value: unknown, repetition: number): void;
  /** One entry in every leaf below: nothing is there above `definition`. */
  addNull(definition: number, repetition: number): void;
}

/** A check of each value of a type, which throws EOS_ROW. */
export type ValueCheck = (type: ScalarType) => ((value: unknown) => void) | undefined;

/** Makes the shredders of fields, one each, and the columns of their leaves, which must be those of `fileSchema`. */
export function shredders(
  fields: readonly ParquetField[],
  leaves: readonly Leaf[],
  check?: ValueCheck,
): { readonly columns: readonly LeafColumn[]; readonly shredders: readonly Shredder[] } {
  const columns = leaves.map((leaf) => new LeafColumn(leaf, check?.(leaf.type)));
  let next = 0;

  function make(field: ParquetElement, path: readonly string[], above: Level): Shredder {
    const level = field.isNullable ? { ...above, definition: above.definition + 1 } : above;
    const { type } = field;
    if (isScalar(type)) return leafShredder(takeColumn(), field.isNullable, path);
    const absent = (children: readonly Shredder[]) => (definition: number, repetition: number) => {
      for (const child of children) child.addNull(definition, repetition);
    };
    const repeated = { definition: level.definition + 1, repetition: level.repetition + 1 };
    switch (type.kind) {
      case 'struct': {
        const children = type.fields.map((child) => ({
          name: child.name,
          shredder: make(child, [...path, child.name], level),
        }));
        const addNull = absent(children.map(({ shredder }) => shredder));
        return nullable(field, path, level, addNull, (value, repetition) => {
          const struct = objectOf(value, path);
          for (const { name, shredder } of children) shredder.add(struct[name], repetition);
        });
      }
      case 'list': {
        const element = make(type.element, [...path, 'element'], repeated);
        const addNull = absent([element]);
        return nullable(field, path, level, addNull, (value, repetition) => {
          if (!Array.isArray(value)) throw misfit(path, 'no array', value);
          const list: readonly unknown[] = value;
          if (list.length === 0) addNull(level.definition, repetition);
          for (let at = 0; at < list.length; at++) {
            element.add(list[at], at === 0 ? repetition : repeated.repetition);
          }
        });
      }
      case 'map': {
        const key = make({ type: type.key, isNullable: false }, [...path, 'key'], repeated);
        const item = make(type.value, [...path, 'value'], repeated);
        const addNull = absent([key, item]);
        return nullable(field, path, level, addNull, (value, repetition) => {
          let at = repetition;
          for (const [name, content] of entriesOf(value, path)) {
            key.add(name, at);
            item.add(content, at);
            at = repeated.repetition;
          }
          if (at === repetition && isEmpty(value)) addNull(level.definition, repetition);
        });
      }
    }
  }

  function takeColumn(): LeafColumn {
    const column = columns[next++];
    if (column === undefined) throw new EosError('EOS_CONFIG', 'the leaves are not those of the fields');
    return column;
  }

  const made = fields.map((field) => make(field, [field.name], { definition: 0, repetition: 0 }));
  return { columns, shredders: made };
}

interface Level {
  readonly definition: number;
  readonly repetition: number;
}

function leafShredder(column: LeafColumn, isNullable: boolean, path: readonly string[]): Shredder {
  const nullDefinition = column.leaf.maxDefinition - 1;
  // JSON has a null of its own, where the column takes no other.
  const hasOwnNull = column.leaf.type.kind === 'json';
  return {
    add(value, repetition) {
      if (value === null || value === undefined) {
        if (isNullable) {
          column.addNull(nullDefinition, repetition);
          return;
        }
        if (value === undefined || !hasOwnNull) throw misfit(path, 'null in a column that takes none');
      }
      try {
        column.addValue(value, repetition);
      } catch (error) {
        throw isEosError(error) ? misfit(path, messageOf(error), value) : error;
      }
    },
    addNull: (definition, repetition) => column.addNull(definition, repetition),
  };
}

function nullable(
  { isNullable }: ParquetElement,
  path: readonly string[],
  level: Level,
  addNull: Shredder['addNull'],
  addValue: Shredder['add'],
): Shredder {
  return {
    add(value, repetition) {
      if (value !== null && value !== undefined) addValue(value, repetition);
      else if (isNullable) addNull(level.definition - 1, repetition);
      else throw misfit(path, 'null in a column that takes none');
    },
    addNull,
  };
}

function objectOf(value: unknown, path: readonly string[]): Readonly<Record<string, unknown>> {
  return isObject(value) && !Array.isArray(value) ? value : misfitIn(path, 'no object', value);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function entriesOf(value: unknown, path: readonly string[]): Iterable<readonly [unknown, unknown]> {
  if (value instanceof Map) return value;
  return Object.entries(objectOf(value, path));
}

function isEmpty(value: unknown): boolean {
  return value instanceof Map ? value.size === 0 : isObject(value) && Object.keys(value).length === 0;
}

function misfitIn(path: readonly string[], reason: string, value: unknown): never {
  throw misfit(path, reason, value);
}

function misfit(path: readonly string[], reason: string, value?: unknown): EosError {
  const found = value === undefined ? '' : ` (${shown(value)})`;
  return new EosError('EOS_ROW', `column ${shownPath(path)}: ${reason}${found}`, {
    details: { column: path.join('.') },
  });
}
