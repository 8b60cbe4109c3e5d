/** A file of YAML (or JSON, which is a part of it) as a tree whose every value knows its place. */
import { isAlias, isMap, isScalar, isSeq, parseDocument, type Document, type Node, type YAMLMap } from 'yaml';
import { interpolate, type Variables } from './interpolate.js';
import { problemsError, type ConfigurationText, type Place, type Problem } from './text-place.js';

export type ConfigurationNode = ScalarNode | ListNode | MappingNode;

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly value: null | boolean | number | string;
  /** A text that came from the environment may stand for a number or a boolean. */
  readonly isFromEnvironment: boolean;
  readonly place: Place;
}

export interface ListNode {
  readonly kind: 'list';
  readonly items: readonly ConfigurationNode[];
  readonly place: Place;
}

export interface MappingNode {
  readonly kind: 'mapping';
  readonly entries: ReadonlyMap<string, Entry>;
  readonly place: Place;
}

export interface Entry {
  readonly key: Place;
  readonly value: ConfigurationNode;
}

/** A configuration that is longer is a mistake, or aliases that were made to explode. */
const MOST_NODES = 10_000;
const DEEPEST = 50;

/**
 * Reads the text. Nothing in it is evaluated: no tags, no merge keys.
 * @throws EOS_CONFIG quoting the line
 */
export function parseConfiguration(file: ConfigurationText, variables: Variables): ConfigurationNode {
  const document = parseDocument(file.text, {
    prettyErrors: false,
    resolveKnownTags: false,
    logLevel: 'silent',
    version: '1.2',
  });
  const wrong = [...document.errors, ...document.warnings];
  if (wrong.length > 0) throw problemsError(file, wrong.slice(0, 5).map(problemOf));
  const reader = new TreeReader(file, document, variables);
  const tree = reader.read(document.contents);
  if (reader.problems.length > 0) throw problemsError(file, reader.problems);
  return tree;
}

function problemOf({ message, pos: [from, to] }: { message: string; pos: [number, number] }): Problem {
  return { message: message.charAt(0).toLowerCase() + message.slice(1), place: { from, to } };
}

class TreeReader {
  readonly problems: Problem[] = [];
  #nodes = 0;

  constructor(
    private readonly file: ConfigurationText,
    private readonly document: Document,
    private readonly variables: Variables,
  ) {}

  read(node: unknown, at: Place = { from: 0, to: 0 }, depth = 0): ConfigurationNode {
    const place = placeOf(node) ?? at;
    if (++this.#nodes > MOST_NODES || depth > DEEPEST) {
      throw problemsError(this.file, [{ message: 'this is too much for a configuration', place }]);
    }
    if (isAlias(node)) return this.#alias(node.resolve(this.document), node.source, place, depth);
    if (isMap(node)) return this.#mapping(node, place, depth);
    if (isSeq(node))
      return { kind: 'list', place, items: node.items.map((item) => this.read(item, place, depth + 1)) };
    return this.#scalar(isScalar(node) ? node.value : null, place);
  }

  #alias(target: Node | undefined, name: string, place: Place, depth: number): ConfigurationNode {
    if (target !== undefined) return this.read(target, place, depth + 1);
    this.problems.push({ message: `there is no anchor &${name} above`, place });
    return nullAt(place);
  }

  #mapping(map: YAMLMap, place: Place, depth: number): ConfigurationNode {
    const entries = new Map<string, Entry>();
    for (const { key, value } of map.items) {
      const keyPlace = placeOf(key) ?? place;
      const name: unknown = isScalar(key) ? key.value : key;
      if (typeof name !== 'string' && typeof name !== 'number' && typeof name !== 'boolean') {
        this.problems.push({ message: 'a name must be a text', place: keyPlace });
        continue;
      }
      entries.set(String(name), { key: keyPlace, value: this.read(value, keyPlace, depth + 1) });
    }
    return { kind: 'mapping', entries, place };
  }

  #scalar(value: unknown, place: Place): ConfigurationNode {
    if (value === null || value === undefined) return nullAt(place);
    if (typeof value === 'boolean' || typeof value === 'number') {
      return { kind: 'scalar', value, isFromEnvironment: false, place };
    }
    if (typeof value !== 'string') {
      this.problems.push({ message: 'this is no text, number, boolean or null', place });
      return nullAt(place);
    }
    const { text, isFromEnvironment, problems } = interpolate(value, this.variables);
    for (const { message, excerpt } of problems) {
      this.problems.push({ message, place: this.#placeIn(place, excerpt) });
    }
    return { kind: 'scalar', value: text, isFromEnvironment, place };
  }

  /** Where an excerpt of a scalar stands; a quoted scalar may be written otherwise than its value is. */
  #placeIn(place: Place, excerpt: string): Place {
    const index = this.file.text.indexOf(excerpt, place.from);
    return index === -1 || index >= place.to ? place : { from: index, to: index + excerpt.length };
  }
}

function nullAt(place: Place): ScalarNode {
  return { kind: 'scalar', value: null, isFromEnvironment: false, place };
}

function placeOf(node: unknown): Place | undefined {
  const range = typeof node === 'object' && node !== null && 'range' in node ? node.range : undefined;
  if (!Array.isArray(range)) return undefined;
  const [from, to] = range as readonly unknown[];
  return typeof from === 'number' && typeof to === 'number' ? { from, to } : undefined;
}
