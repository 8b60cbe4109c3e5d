/** The schema of a file, from the elements of its footer: fields as this package writes them, and how to put values together. */
import type { SchemaElement, SchemaTree } from 'hyparquet';
import type { ParquetElement, ParquetField } from '../schema/field.js';
import { malformed } from './byte-source.js';
import { scalarDecoder, type ScalarDecoder } from './scalar-decoder.js';

/** A leaf of the file. */
export interface FileLeaf {
  /** Which column chunk of each row group is its own. */
  readonly index: number;
  readonly path: readonly string[];
  readonly element: SchemaElement;
  readonly decoder: ScalarDecoder;
  readonly maxDefinition: number;
  readonly maxRepetition: number;
}

/** A field of the file: its shape, and at which levels it is there. */
export type FileNode =
  | { readonly shape: 'leaf'; readonly leaf: FileLeaf }
  | {
      readonly shape: 'struct';
      /** The definition level at which it is not null. */
      readonly definition: number;
      readonly children: readonly { readonly name: string; readonly node: FileNode }[];
    }
  | {
      readonly shape: 'list' | 'map';
      /** The definition level at which it is not null; one more, and it has an element. */
      readonly definition: number;
      /** The repetition level of a further element. */
      readonly repetition: number;
      /** The element; or the key and the value. */
      readonly children: readonly FileNode[];
    };

export interface FileTree {
  readonly fields: readonly ParquetField[];
  readonly nodes: ReadonlyMap<string, FileNode>;
  readonly leaves: readonly FileLeaf[];
}

interface Made {
  readonly node: FileNode;
  readonly element: ParquetElement;
}

interface Above {
  readonly path: readonly SchemaTree[];
  readonly definition: number;
  readonly repetition: number;
}

/** @throws EOS_SOURCE_FORMAT for a schema that Parquet does not allow */
export function fileTree(root: SchemaTree): FileTree {
  const leaves: FileLeaf[] = [];

  function make(tree: SchemaTree, above: Above): Made {
    const repetition = tree.element.repetition_type;
    // A repeated field without a list around it is a list that is never null.
    if (repetition === 'REPEATED') return listOf(tree, above, { isNullable: false, ...fieldId(tree) });
    return single(tree, repetition === 'OPTIONAL', {
      path: [...above.path, tree],
      definition: above.definition + (repetition === 'OPTIONAL' ? 1 : 0),
      repetition: above.repetition,
    });
  }

  /** The field itself, once its own repetition is counted. */
  function single(tree: SchemaTree, isNullable: boolean, level: Above): Made {
    const base = { isNullable, ...fieldId(tree) };
    if (tree.children.length === 0) return leafOf(tree, base, level);
    const { converted_type: converted, logical_type: logical } = tree.element;
    const [inner] = tree.children;
    const isOneRepeated = tree.children.length === 1 && inner?.element.repetition_type === 'REPEATED';
    if (isOneRepeated && (converted === 'LIST' || logical?.type === 'LIST'))
      return listOf(inner, level, base);
    const isMap = converted === 'MAP' || converted === 'MAP_KEY_VALUE' || logical?.type === 'MAP';
    if (isOneRepeated && isMap && inner.children.length === 2) return mapOf(inner, level, base);
    const children = tree.children.map((child) => ({ name: child.element.name, made: make(child, level) }));
    return {
      node: {
        shape: 'struct',
        definition: level.definition,
        children: children.map(({ name, made }) => ({ name, node: made.node })),
      },
      element: {
        ...base,
        type: { kind: 'struct', fields: children.map(({ name, made }) => ({ name, ...made.element })) },
      },
    };
  }

  function leafOf(tree: SchemaTree, base: Omit<ParquetElement, 'type'>, level: Above): Made {
    const leaf: FileLeaf = {
      index: leaves.length,
      path: tree.path,
      element: tree.element,
      decoder: scalarDecoder(tree.element),
      maxDefinition: level.definition,
      maxRepetition: level.repetition,
    };
    leaves.push(leaf);
    return { node: { shape: 'leaf', leaf }, element: { ...base, type: leaf.decoder.type } };
  }

  /** `repeated` is the repeated group of a list in three levels, or of older ones the element itself. */
  function listOf(repeated: SchemaTree, level: Above, base: Omit<ParquetElement, 'type'>): Made {
    const inside = repeatedLevel(repeated, level);
    const [only] = repeated.children;
    const isThreeLevels =
      only !== undefined &&
      repeated.children.length === 1 &&
      !isElementItself(repeated, level) &&
      level.path.length > 1;
    const made = isThreeLevels ? make(only, inside) : single(repeated, false, inside);
    return {
      node: {
        shape: 'list',
        definition: level.definition,
        repetition: inside.repetition,
        children: [made.node],
      },
      element: { ...base, type: { kind: 'list', element: made.element } },
    };
  }

  function mapOf(entries: SchemaTree, level: Above, base: Omit<ParquetElement, 'type'>): Made {
    const inside = repeatedLevel(entries, level);
    const [key, value] = entries.children.map((child) => make(child, inside));
    if (key === undefined || value === undefined) throw malformed('a map has no key and value');
    return {
      node: {
        shape: 'map',
        definition: level.definition,
        repetition: inside.repetition,
        children: [key.node, value.node],
      },
      element: { ...base, type: { kind: 'map', key: key.element.type, value: value.element } },
    };
  }

  const rootLevel: Above = { path: [root], definition: 0, repetition: 0 };
  const made = root.children.map((child) => ({ name: child.element.name, ...make(child, rootLevel) }));
  return {
    fields: made.map(({ name, element }) => ({ name, ...element })),
    nodes: new Map(made.map(({ name, node }) => [name, node])),
    leaves,
  };
}

function repeatedLevel(tree: SchemaTree, { path, definition, repetition }: Above): Above {
  return { path: [...path, tree], definition: definition + 1, repetition: repetition + 1 };
}

/** Older writers left the middle level out: https://github.com/apache/parquet-format/blob/master/LogicalTypes.md#backward-compatibility-rules */
function isElementItself(repeated: SchemaTree, { path }: Above): boolean {
  const { name } = repeated.element;
  const around = path.at(-1)?.element;
  const isList = around?.converted_type === 'LIST' || around?.logical_type?.type === 'LIST';
  return !isList || name === 'array' || name === `${around.name}_tuple`;
}

function fieldId(tree: SchemaTree): { readonly fieldId?: number } {
  const { field_id: id } = tree.element;
  return id === undefined ? {} : { fieldId: id };
}
