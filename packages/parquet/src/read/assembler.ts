/** Rows from the entries of leaves, by their levels: the way back from the shredder. */
import type { LeafEntries } from './chunk-reader.js';
import type { FileLeaf, FileNode } from './file-tree.js';

/** Reads the values of one field, row after row. */
interface Assembler {
  next(): unknown;
  /** Passes over one entry in every leaf. */
  skip(): void;
  /** The levels of the entry at hand in its first leaf; -1 at the end. */
  definition(): number;
  repetition(): number;
}

/** The value of a field in each of `rowCount` rows: a struct is an object, a list an array, a map a `Map`, and what is absent null. */
export function columnValues(
  node: FileNode,
  entries: (leaf: FileLeaf) => LeafEntries,
  rowCount: number,
): ArrayLike<unknown> {
  if (node.shape === 'leaf') return flatValues(entries(node.leaf), node.leaf);
  const assembler = assemblerOf(node, entries);
  return Array.from({ length: rowCount }, () => assembler.next());
}

function flatValues({ values, definitions }: LeafEntries, { maxDefinition }: FileLeaf): ArrayLike<unknown> {
  if (definitions === undefined || values.length === definitions.length) return values;
  const all = new Array<unknown>(definitions.length);
  let next = 0;
  for (let at = 0; at < definitions.length; at++) {
    all[at] = definitions[at] === maxDefinition ? values[next++] : null;
  }
  return all;
}

function assemblerOf(node: FileNode, entries: (leaf: FileLeaf) => LeafEntries): Assembler {
  switch (node.shape) {
    case 'leaf':
      return leafAssembler(entries(node.leaf), node.leaf);
    case 'struct':
      return structAssembler(
        node.definition,
        node.children.map(({ name, node: child }) => ({ name, field: assemblerOf(child, entries) })),
      );
    case 'list':
    case 'map': {
      const [first, second] = node.children.map((child) => assemblerOf(child, entries));
      if (first === undefined) throw new TypeError('a list has an element');
      return second === undefined || node.shape === 'list'
        ? listAssembler(node, first)
        : mapAssembler(node, first, second);
    }
  }
}

function leafAssembler(
  { values, definitions, repetitions }: LeafEntries,
  { maxDefinition }: FileLeaf,
): Assembler {
  const count = definitions?.length ?? values.length;
  let [entry, value] = [0, 0];
  const definition = () => (entry < count ? (definitions?.[entry] ?? maxDefinition) : -1);
  const next = () => {
    const isThere = definition() === maxDefinition;
    entry += 1;
    return isThere ? values[value++] : null;
  };
  return {
    next,
    skip: () => void next(),
    definition,
    repetition: () => (entry < count ? (repetitions?.[entry] ?? 0) : -1),
  };
}

function structAssembler(
  definition: number,
  fields: readonly { readonly name: string; readonly field: Assembler }[],
): Assembler {
  const first = fields[0]?.field;
  const skip = () => {
    for (const { field } of fields) field.skip();
  };
  return {
    next() {
      if (first === undefined || first.definition() < definition) {
        skip();
        return null;
      }
      const struct: Record<string, unknown> = {};
      for (const { name, field } of fields) setOwn(struct, name, field.next());
      return struct;
    },
    skip,
    definition: () => first?.definition() ?? -1,
    repetition: () => first?.repetition() ?? -1,
  };
}

interface Repeated {
  readonly definition: number;
  readonly repetition: number;
}

function listAssembler({ definition, repetition }: Repeated, element: Assembler): Assembler {
  return {
    ...element,
    next() {
      const found = element.definition();
      if (found <= definition) {
        element.skip();
        return found < definition ? null : [];
      }
      const list: unknown[] = [];
      do list.push(element.next());
      while (element.repetition() === repetition);
      return list;
    },
  };
}

function mapAssembler({ definition, repetition }: Repeated, key: Assembler, value: Assembler): Assembler {
  const skip = () => {
    key.skip();
    value.skip();
  };
  return {
    ...key,
    skip,
    next() {
      const found = key.definition();
      if (found <= definition) {
        skip();
        return found < definition ? null : new Map();
      }
      const map = new Map<unknown, unknown>();
      do map.set(key.next(), value.next());
      while (key.repetition() === repetition);
      return map;
    },
  };
}

/** Also for a name that assignment would take for something else. */
export function setOwn(target: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') target[name] = value;
  else Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true });
}
