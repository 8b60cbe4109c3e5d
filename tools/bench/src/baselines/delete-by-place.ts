/**
 * What a careful program does by hand to take single copies of rows out of a table without a key: inserts by COPY straight into the
 * table, rows that go by COPY into a temporary table, and one DELETE by the place (`ctid`) of as many copies as were taken back, chosen by
 * row number; all in one transaction, on one connection, with the same encoder as ours. The table has the same hash column and
 * index as ours, as nothing else would find a row.
 *
 * It promises less: no position is stored, no other writer is kept out, rows of partitions that lie at the same place are mixed
 * up, what cancels within a transaction is written and deleted, and a row that is not there goes unnoticed.
 */
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import type { OpName } from '@eos/core';
import { copyTextEncoder, type CopyTextEncoder } from '@eos/postgres';
import { Client, escapeIdentifier } from 'pg';
import { from as copyFrom, type CopyStreamQuery } from 'pg-copy-streams';
import { schema, type BenchRow } from '../rows.js';

export interface DeleteByPlaceOptions {
  readonly url: string;
  readonly table: string;
  readonly rows: readonly BenchRow[];
  /** One a row, `+I` or `-D`. */
  readonly ops: readonly OpName[];
  readonly rowsPerCommit: number;
}

/** Writes all changes; resolves when the last transaction is committed. */
export async function deleteByPlace({
  url,
  table,
  rows,
  ops,
  rowsPerCommit,
}: DeleteByPlaceOptions): Promise<void> {
  const encoder = copyTextEncoder(schema);
  const names = encoder.columns.map(escapeIdentifier).join(', ');
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(
      `SET jit = off; CREATE TEMPORARY TABLE gone ON COMMIT DELETE ROWS AS SELECT ${names} FROM ${escapeIdentifier(table)} WITH NO DATA`,
    );
    const copy = (statement: string) => client.query(copyFrom(statement));
    const remove = deleteStatement(table, encoder.columns);
    for (let start = 0; start < rows.length; start += rowsPerCommit) {
      const end = Math.min(start + rowsPerCommit, rows.length);
      const taken = (isTaken: boolean) =>
        rows.slice(start, end).filter((_, index) => (ops[start + index] === '-D') === isTaken);
      await send(copy(`BEGIN; COPY ${escapeIdentifier(table)} (${names}) FROM STDIN`), encoder, taken(false));
      await send(copy(`COPY gone FROM STDIN`), encoder, taken(true));
      await client.query(`${remove}; COMMIT`);
    }
  } finally {
    await client.end();
  }
}

function deleteStatement(table: string, columns: readonly string[]): string {
  const target = escapeIdentifier(table);
  const row = (alias: string) => columns.map((name) => `${alias}.${escapeIdentifier(name)}`).join(', ');
  const isSame = columns
    .map((name) => `t.${escapeIdentifier(name)} IS NOT DISTINCT FROM g.${escapeIdentifier(name)}`)
    .join(' AND ');
  return `
    WITH wanted AS MATERIALIZED (
      SELECT ${row('gone')}, count(*) AS copies, hash_record_extended(ROW(${row('gone')}), 0) AS hash FROM gone GROUP BY ${row('gone')}),
    places AS (
      SELECT t.ctid AS place, g.copies, row_number() OVER (PARTITION BY g.hash, ${row('g')}) AS number
      FROM wanted g JOIN ${target} t ON t.eos_row_hash = g.hash AND ${isSame})
    DELETE FROM ${target} t USING places p WHERE t.ctid = p.place AND p.number <= p.copies`;
}

async function send(
  copy: CopyStreamQuery,
  { block }: CopyTextEncoder<BenchRow>,
  rows: readonly BenchRow[],
): Promise<void> {
  let next = 0;
  while (next < rows.length) {
    const encoded = block(rows, next);
    next = encoded.next;
    if (!copy.write(encoded.bytes)) await once(copy, 'drain');
  }
  copy.end();
  await finished(copy);
}
