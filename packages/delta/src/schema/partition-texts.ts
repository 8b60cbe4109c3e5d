/**
 * Texts of partition columns, as the log has them, back as values.
 * https://github.com/delta-io/delta/blob/master/PROTOCOL.md#partition-value-serialization
 */
import { malformed } from '../log/fields.js';
import type { DeltaField } from './delta-schema.js';
import { decimalText, unscaledOf } from './decimals.js';
import { eosKindOf } from './eos-columns.js';
import { parseTimestamp } from './timestamps.js';

/** The value of a text; null for null and for an empty text, which is the same to Delta. */
export type PartitionValue = (text: string | null | undefined) => unknown;

/** The function throws EOS_FORMAT for a text that is no value of the column. */
export function partitionValueOf(field: DeltaField): PartitionValue {
  const parse = parserOf(field);
  return (text) => {
    if (text === null || text === undefined || text === '') return null;
    const value = parse(text);
    if (value !== undefined) return value;
    throw malformed(
      `${JSON.stringify(text)} is no value of the partition column ${JSON.stringify(field.name)}`,
    );
  };
}

function parserOf(field: DeltaField): (text: string) => unknown {
  const { type } = field;
  switch (type.kind) {
    case 'boolean':
      return (text) => BOOLEANS.get(text.toLowerCase());
    case 'byte':
    case 'short':
    case 'integer':
      return (text) => (/^[+-]?\d{1,10}$/.test(text) ? Number(text) : undefined);
    case 'long':
      return (text) => (/^[+-]?\d{1,19}$/.test(text) ? BigInt(text.replace('+', '')) : undefined);
    case 'float':
    case 'double':
      return doubleOf;
    case 'decimal':
      return (text) => {
        const unscaled = unscaledOf(text, type.scale);
        return unscaled === undefined ? undefined : decimalText(unscaled, type.scale);
      };
    case 'date':
      // Some writers have the time of midnight behind it.
      return (text) => /^(\d{4}-\d\d-\d\d)(?:[T ]00:00:00.*)?$/.exec(text)?.[1];
    case 'timestamp':
    case 'timestamp_ntz':
      return parseTimestamp;
    case 'binary':
      return (text) => new Uint8Array(Buffer.from(text));
    case 'string':
      return eosKindOf(field) === 'json' ? parseJson : (text) => text;
    default:
      return () => undefined;
  }
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['false', false],
]);

function doubleOf(text: string): number | undefined {
  const number = Number(text);
  return Number.isNaN(number) && !/^[+-]?nan$/i.test(text) ? undefined : number;
}

function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
}
