/**
 * What people write today to upsert from Node: `INSERT … VALUES (…), (…) ON CONFLICT (id) DO UPDATE` with parameters, 1,000 rows a
 * statement, several statements a transaction, one after the other on one connection; deletes by `id = ANY (…)`, once a
 * transaction. It promises nothing: no position is stored, no other writer is kept out, and a key that comes twice in a statement
 * would be an error.
 */
import type { OpName } from '@eos/core';
import { Client, escapeIdentifier } from 'pg';
import { schema, type BenchRow } from '../rows.js';

export interface ValuesOptions {
  readonly url: string;
  readonly table: string;
  readonly rows: readonly BenchRow[];
  /** One a row, `-D` or one that keeps it; absent: all are `+I`. */
  readonly ops?: readonly OpName[];
  readonly rowsPerCommit: number;
  /** Whether the server keeps the plan of the statement: few programs name theirs, and it makes less of a difference than one thinks. */
  readonly prepared?: boolean;
}

const ROWS_PER_STATEMENT = 1_000;
const COLUMNS = schema.names;

/** Writes all changes; resolves when the last transaction is committed. */
export async function upsertValues({
  url,
  table,
  rows,
  ops,
  rowsPerCommit,
  prepared = false,
}: ValuesOptions): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const statement = statements(table, prepared);
    for (let start = 0; start < rows.length; start += rowsPerCommit) {
      const { kept, deleted } = split(rows, ops, start, Math.min(start + rowsPerCommit, rows.length));
      await client.query('BEGIN');
      if (deleted.length > 0) await client.query(statement.delete(deleted));
      for (let first = 0; first < kept.length; first += ROWS_PER_STATEMENT) {
        await client.query(statement.upsert(kept.slice(first, first + ROWS_PER_STATEMENT)));
      }
      await client.query('COMMIT');
    }
  } finally {
    await client.end();
  }
}

function split(rows: readonly BenchRow[], ops: readonly OpName[] | undefined, start: number, end: number) {
  const block = rows.slice(start, end);
  if (ops === undefined) return { kept: block, deleted: [] };
  const kept: BenchRow[] = [];
  const deleted: bigint[] = [];
  for (const [index, row] of block.entries()) {
    if (ops[start + index] === '-D') deleted.push(BigInt(row.id));
    else kept.push(row);
  }
  return { kept, deleted };
}

interface Statement {
  readonly name?: string;
  readonly text: string;
  readonly values: unknown[];
}

function statements(table: string, prepared: boolean) {
  const columns = COLUMNS.map(escapeIdentifier).join(', ');
  const sets = COLUMNS.filter((name) => name !== 'id')
    .map((name) => `${escapeIdentifier(name)} = excluded.${escapeIdentifier(name)}`)
    .join(', ');
  const texts = new Map<number, string>();
  const textFor = (count: number) => {
    const known = texts.get(count);
    if (known !== undefined) return known;
    const tuples = Array.from({ length: count }, (_, row) => {
      return `(${COLUMNS.map((__, column) => `$${row * COLUMNS.length + column + 1}`).join(', ')})`;
    });
    const text = `INSERT INTO ${escapeIdentifier(table)} (${columns}) VALUES ${tuples.join(', ')} ON CONFLICT (id) DO UPDATE SET ${sets}`;
    texts.set(count, text);
    return text;
  };
  return {
    upsert(rows: readonly BenchRow[]): Statement {
      const values: unknown[] = [];
      for (const { id, name, amount, quantity, happened_at, note } of rows) {
        values.push(id, name, amount, quantity, happened_at, note);
      }
      return { ...(prepared ? { name: `upsert_${rows.length}` } : {}), text: textFor(rows.length), values };
    },
    delete(ids: readonly bigint[]): Statement {
      return { text: `DELETE FROM ${escapeIdentifier(table)} WHERE id = ANY ($1::bigint[])`, values: [ids] };
    },
  };
}
