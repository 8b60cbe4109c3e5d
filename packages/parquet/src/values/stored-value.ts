/** Values as a file stores them, back as programs have them. */
import type { StoredValue } from '../encode/bounds.js';
import type { ScalarType } from '../schema/field.js';
import { dateText } from './date.js';
import { decimalText } from './decimal.js';
import { uuidText } from './uuid.js';

/** A value of a leaf as a row has it: decimals, dates and uuids are text, timestamps bigint microseconds. */
export type ScalarValue = boolean | number | bigint | string | Uint8Array;

/** The value of a bound. That of a json column is its text. */
export function scalarValue(stored: StoredValue, type: ScalarType): ScalarValue {
  switch (type.kind) {
    case 'date':
      return typeof stored === 'number' ? dateText(stored) : stored;
    case 'decimal':
      return typeof stored === 'number' || typeof stored === 'bigint'
        ? decimalText(stored, type.scale)
        : stored;
    case 'string':
    case 'json':
      return stored instanceof Uint8Array ? textOf(stored) : stored;
    case 'uuid':
      if (!(stored instanceof Uint8Array)) return stored;
      return type.isText === true ? textOf(stored) : uuidText(stored);
    default:
      return stored;
  }
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}
