/** What parquetjs-lite can hold without changing it, and what it must not be given. */
import { EosError } from '@eos/core';
import type { FieldDefinition } from 'parquetjs-lite';
import type { LeafData } from '../columns/leaf-column.js';
import type { Compression } from '../encode/codecs.js';
import type { EncoderOptions } from '../encode/encoder.js';
import type { Leaf } from '../schema/elements.js';
import type { ScalarType } from '../schema/field.js';
import { textOf } from '../values/stored-value.js';
import { refuse } from '../values/refuse.js';

/** The fields of a file by name. @throws EOS_CONFIG for what this encoder has not */
export function fieldDefinitions({
  schema,
  compression,
  bloomFilters,
}: EncoderOptions): Record<string, FieldDefinition> {
  if (bloomFilters.size > 0) throw cannot('Bloom filters');
  const codec = codecName(compression);
  const definitions = schema.leaves.map((leaf): [string, FieldDefinition] => [
    nameOf(leaf),
    {
      type: typeName(leaf),
      optional: leaf.maxDefinition > 0,
      compression: codec,
      // Those of strings would make readers skip rows: it orders them as JavaScript does.
      statistics: false,
    },
  ]);
  return Object.fromEntries(definitions);
}

function codecName(compression: Compression): FieldDefinition['compression'] {
  switch (compression) {
    case 'none':
      return 'UNCOMPRESSED';
    case 'gzip':
      return 'GZIP';
    case 'snappy':
      return 'SNAPPY';
    default:
      throw cannot(`compression ${compression}`);
  }
}

function nameOf({ path, maxRepetition }: Leaf): string {
  const [name, ...deeper] = path;
  if (name === undefined || deeper.length > 0 || maxRepetition > 0) {
    throw cannot(`the nested column ${JSON.stringify(path[0] ?? '')}`);
  }
  if (name === '__proto__') throw cannot('a column "__proto__"');
  return name;
}

function typeName({ path, type }: Leaf): string {
  switch (type.kind) {
    case 'boolean':
      return 'BOOLEAN';
    case 'int8':
      return 'INT_8';
    case 'int16':
      return 'INT_16';
    case 'int32':
      return 'INT32';
    case 'int64':
      return 'INT64';
    case 'float32':
      return 'FLOAT';
    case 'float64':
      return 'DOUBLE';
    case 'string':
      return 'UTF8';
    case 'bytes':
      return 'BYTE_ARRAY';
    case 'date':
      return 'DATE';
    case 'timestamp':
      if (type.isUtc) return 'TIMESTAMP_MICROS';
      break;
    case 'json':
    case 'uuid':
      if (type.isText === true) return 'UTF8';
      throw cannot(
        `the type ${type.kind} of column ${JSON.stringify(path.join('.'))} but as text: ${type.kind}: 'string'`,
      );
    case 'decimal':
      break;
  }
  throw cannot(`the type ${type.kind} of column ${JSON.stringify(path.join('.'))}`);
}

function cannot(what: string): EosError {
  return new EosError('EOS_CONFIG', `parquetjs-lite has not ${what}: use the encoder that is the default`);
}

const EXACT = BigInt(Number.MAX_SAFE_INTEGER);

/** Refuses values that would be changed, or that it throws at; undefined where it holds all. */
export function valueCheck(type: ScalarType): ((value: unknown) => void) | undefined {
  switch (type.kind) {
    case 'int64':
      return (value) => {
        if (typeof value === 'bigint' && (value > EXACT || value < -EXACT)) {
          refuse('parquetjs-lite rounds integers beyond 2^53');
        }
      };
    case 'float32':
    case 'float64':
      return (value) => {
        if (Number.isNaN(value)) refuse('parquetjs-lite has no NaN');
        if (Object.is(value, -0)) refuse('parquetjs-lite makes 0 of -0');
      };
    case 'date':
      return (value) => {
        if (typeof value === 'string' && value < '1970-01-01')
          refuse('parquetjs-lite has no date before 1970');
      };
    case 'timestamp':
      return (value) => {
        const isBefore =
          typeof value === 'bigint' ? value < 0n : value instanceof Date && value.getTime() < 0;
        if (isBefore) refuse('parquetjs-lite has no timestamp before 1970');
      };
    default:
      return undefined;
  }
}

/** A function that gives the values of a column, one after the other, in the form that parquetjs-lite takes; null where there is none. */
export function valueReader({ leaf, values, definitions }: LeafData): () => unknown {
  const at = valueAt(values);
  let [entry, value] = [0, 0];
  return () => {
    const isThere = leaf.maxDefinition === 0 || definitions[entry] === leaf.maxDefinition;
    entry += 1;
    return isThere ? at(value++, leaf.type) : null;
  };
}

function valueAt(values: LeafData['values']): (at: number, type: ScalarType) => unknown {
  switch (values.physical) {
    case 'BOOLEAN':
      return (at) => values.data[at] === 1;
    case 'BYTE_ARRAY':
      return (at, type) => {
        const bytes = values.entry(values.hasDictionary ? (values.indices[at] ?? 0) : at);
        return type.kind === 'bytes' ? Buffer.from(bytes) : textOf(bytes);
      };
    case 'INT64':
      return (at, type) => (type.kind === 'int64' ? Number(values.data[at]) : values.data[at]);
    case 'FIXED_LEN_BYTE_ARRAY':
      return () => refuse('no byte strings of one width');
    default:
      return (at) => values.data[at];
  }
}
