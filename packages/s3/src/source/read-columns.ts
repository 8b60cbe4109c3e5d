import { EosError, type RowSchema } from '@eos/core';
import type { TableDescription } from '../log/entry.js';
import { columnsOf } from '../table.js';

/**
 * Holds the columns that are to be read against those of the table.
 * @throws EOS_SCHEMA
 */
export function checkColumns({ columns }: TableDescription, schema: RowSchema | undefined): void {
  if (schema === undefined) return;
  const stored = new Map(columns.map(({ name, type }) => [name, type]));
  for (const { name, type } of columnsOf(schema)) {
    const there = stored.get(name);
    // Who takes nulls need not get any.
    if (there === type || (there !== undefined && `${there}?` === type)) continue;
    const problem = there === undefined ? 'lacks it' : `has it as ${there}`;
    throw new EosError(
      'EOS_SCHEMA',
      `schema: the column ${name} ${type} is to be read, and the table ${problem}`,
      {
        details: { column: name },
      },
    );
  }
}
