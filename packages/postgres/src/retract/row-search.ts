/** How the rows that go are found in a table, and whether it may be one that they are taken from. */
import type { Link } from '../connection/connection.js';
import type { Settings } from '../options.js';
import type { Search } from './retract-statements.js';
import { checkEquality, checkMultiset, hashableColumns } from './row-equality.js';
import { hashColumn, hashIndex, inspectRowHash, ROW_HASH, valueIn } from './row-hash.js';
import { schemaError, type Table } from '../table/table.js';
import type { ColumnEncoder } from '../copy/value-text.js';

/** @throws EOS_SCHEMA where the table cannot be written to in this way, with what to do */
export async function planSearch(
  link: Link,
  { requireRowHash }: Settings,
  table: Table,
  columns: readonly ColumnEncoder[],
): Promise<Search> {
  const written = columns.map(({ name }) => name);
  await checkMultiset(link, table, written);
  await checkEquality(link, table, written);
  const hashed = await inspectRowHash(link, table, written);
  if (hashed !== undefined) return { hashed, isIndexed: true };
  const hashable = await hashableColumns(link, table, written);
  if (requireRowHash) throw missingHash(table, hashable);
  return { hashed: hashable, isIndexed: false };
}

function missingHash(table: Table, hashable: readonly string[]) {
  const column = hashColumn(hashable, valueIn(table, ''));
  const fix = `ALTER TABLE ${table.sql} ADD COLUMN ${column}; ${hashIndex(table.sql)}`;
  return schemaError(
    `rows that go are found by the column ${ROW_HASH}, which ${table.sql} does not have. Add it: ${fix} — or set ` +
      `requireRowHash: false, and every transaction that takes rows back reads the whole table`,
  );
}
