/** Keys of records, read. */
import { formatError, schemaRows, rowSchema, Op, type Column, type Place, type RowSchema } from '@eos/core';

/** How a key is written: an object with the key columns, or the bare value of a key of one column. */
export type KeyForm = 'json' | 'text';

/**
 * What reads the columns of a key. With `text`, a key of one column is any text that stands for its value.
 * The function throws EOS_SOURCE_FORMAT where the key is missing or is not one.
 */
export function keyReader(
  schema: RowSchema,
  key: readonly string[],
  form: KeyForm,
): (text: string | undefined, place: Place) => Readonly<Record<string, unknown>> {
  const columns = key.flatMap((name): [string, Column][] => {
    const column = schema.columns[name];
    return column === undefined ? [] : [[name, column]];
  });
  const rows = schemaRows(rowSchema(Object.fromEntries(columns)), { op: undefined, changelog: 'append' });
  const [only = ''] = key;
  return (text, place) => {
    if (text === undefined) throw formatError(place, 'a record without key and value deletes nothing');
    const value = form === 'text' ? { [only]: text } : keepObject(rows.parse(text, place), only, key);
    // Checked here, so that the error speaks of the key; the caller converts the columns to the row's own.
    rows.row(value, Op.delete, place);
    return value;
  };
}

/** Producers that know no objects write the bare value of a key of one column, as JSON. */
function keepObject(value: unknown, only: string, key: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return { [only]: key.length === 1 ? value : undefined };
  return Object.fromEntries(Object.entries(value));
}
