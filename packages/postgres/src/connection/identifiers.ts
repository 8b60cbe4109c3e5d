import { EosError } from '@eos/core';
import { escapeIdentifier, escapeLiteral } from 'pg';

/** A table as the user named it. Without a schema, the connection's `search_path` decides. */
export interface TableName {
  readonly schema?: string;
  readonly name: string;
}

/**
 * `flights`, `sales.flights`, or the parts by themselves. Names are taken as they are: mixed case stays mixed, and a
 * name that has a dot in it needs the object form.
 * @throws EOS_CONFIG
 */
export function parseTable(table: string | TableName, option = 'table'): TableName {
  const parts = partsOf(table);
  const [schema, name] = parts.length === 1 ? [undefined, parts[0]] : parts;
  if (parts.length > 2 || !isIdentifier(name) || (schema !== undefined && !isIdentifier(schema))) {
    const form = `'name', 'schema.name' or { schema, name }`;
    throw new EosError('EOS_CONFIG', `${option}: ${JSON.stringify(table)} must be ${form}`, {
      details: { option },
    });
  }
  return schema === undefined ? { name } : { schema, name };
}

function partsOf(table: unknown): readonly unknown[] {
  if (typeof table === 'string') return table.split('.');
  if (typeof table !== 'object' || table === null || !('name' in table)) return [''];
  return 'schema' in table ? [table.schema, table.name] : [table.name];
}

/** What the server takes as an identifier without cutting it: 1 to 63 bytes, no NUL. */
export function isIdentifier(text: unknown): text is string {
  return typeof text === 'string' && text !== '' && !text.includes('\0') && Buffer.byteLength(text) <= 63;
}

/** The table as SQL, each part quoted. */
export function quoteTable({ schema, name }: TableName): string {
  return schema === undefined ? quote(name) : `${quote(schema)}.${quote(name)}`;
}

/** A list of columns as SQL. */
export function quoteAll(names: readonly string[]): string {
  return names.map(quote).join(', ');
}

export { escapeIdentifier as quote, escapeLiteral as literal };

function quote(name: string): string {
  return escapeIdentifier(name);
}
