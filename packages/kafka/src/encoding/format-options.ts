import { EosError, type RowSchema } from '@eos/core';

/**
 * Checks the columns of a key.
 * @throws EOS_CONFIG
 */
export function checkKey(schema: RowSchema, key: readonly string[] | undefined, isNeeded: boolean): void {
  if (key === undefined || key.length === 0) {
    if (!isNeeded && key === undefined) return;
    throw configError('key', `key must name the columns of the key`);
  }
  for (const name of key) {
    const column = schema.columns[name];
    if (column === undefined)
      throw configError('key', `key names ${JSON.stringify(name)}, which is no column of the schema`);
    if (column.isNullable) throw configError('key', `column ${name} of the key may be null`);
  }
  if (new Set(key).size < key.length) throw configError('key', `key names a column twice: ${key.join(', ')}`);
}

/** An error of the options of a sink, source or format. */
export function configError(option: string, message: string): EosError {
  return new EosError('EOS_CONFIG', message, { details: { option } });
}
