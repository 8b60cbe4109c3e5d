/**
 * Checks a tree against the part of JSON Schema that options are described in, and makes plain values of it. Not by a library: those
 * compile schemas to code that is evaluated, and know neither places nor what somebody may have meant.
 */
import type { JsonValue, OptionKind, OptionSchema } from '@eos/core';
import type { ConfigurationNode, MappingNode, ScalarNode } from './configuration-tree.js';
import { didYouMean, nearest } from './suggest.js';
import type { Place, Problem } from './text-place.js';

/** @param name what the value is called in messages, such as `trigger.rows` */
export function check(
  node: ConfigurationNode,
  schema: OptionSchema,
  name: string,
  problems: Problem[],
): JsonValue {
  if (schema.anyOf !== undefined) return checkAny(node, schema.anyOf, name, problems);
  switch (node.kind) {
    case 'scalar':
      return checkScalar(node, schema, name, problems);
    case 'list':
      return checkList(node.items, node.place, schema, name, problems);
    case 'mapping':
      return checkMapping(node, schema, name, problems);
  }
}

/** The first that fits; where none does, the problems of the one that is nearest by its kind. */
function checkAny(
  node: ConfigurationNode,
  schemas: readonly OptionSchema[],
  name: string,
  problems: Problem[],
): JsonValue {
  const tried = schemas.map((schema) => {
    const found: Problem[] = [];
    return { schema, found, value: check(node, schema, name, found) };
  });
  const fitting = tried.find(({ found }) => found.length === 0);
  if (fitting !== undefined) return fitting.value;
  const near = tried.find(({ schema }) => isOfKind(node, kindsOf(schema)));
  const expected = schemas.map(expectation).join(', or ');
  problems.push(...(near?.found ?? [{ message: `${name} must be ${expected}`, place: node.place }]));
  return null;
}

function checkScalar(node: ScalarNode, schema: OptionSchema, name: string, problems: Problem[]): JsonValue {
  const value = isOfKind(node, kindsOf(schema)) ? node.value : converted(node, kindsOf(schema));
  const message =
    value === undefined ? `must be ${expectation(schema)}` : misfit(value, schema, node.isFromEnvironment);
  if (message !== undefined) problems.push({ message: `${name} ${message}`, place: node.place });
  return value ?? null;
}

/** A text from the environment may stand for a number or a boolean; undefined where it does not. */
function converted(
  { value, isFromEnvironment }: ScalarNode,
  kinds: readonly OptionKind[],
): JsonValue | undefined {
  if (!isFromEnvironment || typeof value !== 'string') return undefined;
  if (kinds.includes('boolean') && (value === 'true' || value === 'false')) return value === 'true';
  const isNumber = /^-?\d+(\.\d+)?$/.test(value);
  if (isNumber && kinds.includes('number')) return Number(value);
  return isNumber && kinds.includes('integer') && Number.isInteger(Number(value)) ? Number(value) : undefined;
}

/** What is wrong with a value of the right kind. A value from the environment is not shown. */
function misfit(value: JsonValue, schema: OptionSchema, isHidden: boolean): string | undefined {
  const names = schema.enum ?? (schema.const === undefined ? undefined : [schema.const]);
  if (names !== undefined && !names.includes(value)) {
    const near =
      typeof value === 'string' && !isHidden
        ? nearest(
            value,
            names.filter((name) => typeof name === 'string'),
          )
        : undefined;
    if (near !== undefined)
      return `cannot be ${JSON.stringify(value)}: did you mean ${JSON.stringify(near)}?`;
    return `must be ${expectation(schema)}`;
  }
  const { minimum = -Infinity, maximum = Infinity, minLength = 0, pattern } = schema;
  if (typeof value === 'number' && (value < minimum || value > maximum))
    return `must be ${expectation(schema)}`;
  if (typeof value !== 'string') return undefined;
  if (value.length < minLength) return 'must not be empty';
  if (pattern !== undefined && !new RegExp(pattern, 'u').test(value)) return `must be ${expectation(schema)}`;
  return undefined;
}

function checkList(
  items: readonly ConfigurationNode[],
  place: Place,
  schema: OptionSchema,
  name: string,
  problems: Problem[],
): JsonValue {
  const { minItems = 0 } = schema;
  if (!kindsOf(schema).includes('array') || items.length < minItems) {
    problems.push({ message: `${name} must be ${expectation(schema)}`, place });
    return [];
  }
  return items.map((item, index) => check(item, schema.items ?? {}, `${name}[${index}]`, problems));
}

function checkMapping(node: MappingNode, schema: OptionSchema, name: string, problems: Problem[]): JsonValue {
  const { properties = {}, required = [], additionalProperties = true, minProperties = 0 } = schema;
  const { entries, place } = node;
  if (!kindsOf(schema).includes('object') || entries.size < minProperties) {
    problems.push({ message: `${name} must be ${expectation(schema)}`, place });
    return {};
  }
  const read: [string, JsonValue][] = [];
  for (const [key, { key: keyPlace, value }] of entries) {
    const known = Object.hasOwn(properties, key) ? properties[key] : undefined;
    const described = known ?? (additionalProperties === true ? {} : additionalProperties);
    if (described === false) {
      const hint = didYouMean(key, Object.keys(properties)) || listed(Object.keys(properties));
      problems.push({ message: `${name} has no option ${JSON.stringify(key)}${hint}`, place: keyPlace });
    } else read.push([key, check(value, described, memberName(name, key), problems)]);
  }
  for (const key of required) {
    if (!entries.has(key)) problems.push({ message: `${name} needs ${key}`, place: firstOf(node) });
  }
  return Object.fromEntries(read);
}

/** What is called from the top of the file has no name in front. */
function memberName(name: string, key: string): string {
  return name === TOP ? key : `${name}.${key}`;
}

/** What the whole file is called. */
export const TOP = 'the pipeline';

/** What is missing in a mapping is told at its first name. */
function firstOf({ entries, place }: MappingNode): Place {
  const [first] = entries.values();
  return first?.key ?? place;
}

function listed(names: readonly string[]): string {
  return `; there are ${names.join(', ')}`;
}

const EVERY_KIND: readonly OptionKind[] = [
  'string',
  'number',
  'integer',
  'boolean',
  'object',
  'array',
  'null',
];

function kindsOf({ type, enum: names, const: only, anyOf }: OptionSchema): readonly OptionKind[] {
  if (anyOf !== undefined) return anyOf.flatMap(kindsOf);
  if (type !== undefined) return isList(type) ? type : [type];
  if (names !== undefined || only !== undefined) return ['string', 'number', 'integer', 'boolean', 'null'];
  return EVERY_KIND;
}

function isList(type: OptionKind | readonly OptionKind[]): type is readonly OptionKind[] {
  return Array.isArray(type);
}

function isOfKind(node: ConfigurationNode, kinds: readonly OptionKind[]): boolean {
  switch (node.kind) {
    case 'list':
      return kinds.includes('array');
    case 'mapping':
      return kinds.includes('object');
    case 'scalar':
      if (node.value === null) return kinds.includes('null');
      if (typeof node.value !== 'number') return kinds.some((kind) => kind === typeof node.value);
      return kinds.includes('number') || (kinds.includes('integer') && Number.isInteger(node.value));
  }
}

/** In words, behind `must be`. */
function expectation(schema: OptionSchema): string {
  const { enum: names, const: only, anyOf, minimum, maximum, examples, pattern } = schema;
  if (anyOf !== undefined) return anyOf.map(expectation).join(', or ');
  if (only !== undefined) return JSON.stringify(only);
  if (names !== undefined)
    return `one of ${names.map((name) => (typeof name === 'string' ? name : JSON.stringify(name))).join(', ')}`;
  const kind = kindsOf(schema)
    .map((one) => KIND_WORDS[one])
    .join(' or ');
  if (minimum !== undefined && maximum !== undefined) return `${kind} from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return `${kind} of at least ${minimum}`;
  if (maximum !== undefined) return `${kind} of at most ${maximum}`;
  if (pattern !== undefined && examples?.[0] === undefined) return `${kind} that matches ${pattern}`;
  return examples?.[0] === undefined ? kind : `${kind}, such as ${JSON.stringify(examples[0])}`;
}

const KIND_WORDS: Readonly<Record<OptionKind, string>> = {
  string: 'a text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
  object: 'a mapping of names to values',
  array: 'a list',
  null: 'null',
};
