/**
 * A transaction as a careful program writes it by hand: BEGIN and COPY in one message, then COMMIT, one after the other on one
 * connection. Its COMMIT alone is timed, against the one step of ours that also compares and stores the positions. The encoder is
 * the same.
 */
import { finished } from 'node:stream/promises';
import { copyTextEncoder } from '@eos/postgres';
import { Client, escapeIdentifier } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { schema, type BenchRow } from '../rows.js';

export interface TransactionsOptions {
  readonly url: string;
  readonly table: string;
  readonly rows: readonly BenchRow[];
  readonly rowsPerCommit: number;
  /** Told how long each COMMIT took, in milliseconds. */
  readonly onCommit: (milliseconds: number) => void;
}

const { columns, block } = copyTextEncoder(schema);

export async function copyTransactions({
  url,
  table,
  rows,
  rowsPerCommit,
  onCommit,
}: TransactionsOptions): Promise<void> {
  const names = columns.map(escapeIdentifier).join(', ');
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    for (let start = 0; start < rows.length; start += rowsPerCommit) {
      const copy = client.query(copyFrom(`BEGIN; COPY ${escapeIdentifier(table)} (${names}) FROM STDIN`));
      const end = Math.min(start + rowsPerCommit, rows.length);
      for (let next = start; next < end;) {
        const encoded = block(rows, next, end);
        copy.write(encoded.bytes);
        next = encoded.next;
      }
      copy.end();
      await finished(copy);
      const sent = performance.now();
      await client.query('COMMIT');
      onCommit(performance.now() - sent);
    }
  } finally {
    await client.end();
  }
}
