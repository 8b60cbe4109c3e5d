/**
 * Rows of many tables by hand: each transaction sorts its rows by table and makes one COPY after the other, on two connections in turn,
 * so that the next transaction is sorted and its first COPY under way while the last one commits. It compares and records nothing.
 */
import { finished } from 'node:stream/promises';
import type { CopyTextEncoder } from '@eos/postgres';
import { escapeIdentifier } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { connect, send } from './copy.js';

export interface CopyTablesOptions<Row> {
  readonly url: string;
  readonly rows: readonly Row[];
  readonly rowsPerCommit: number;
  readonly tableOf: (row: Row) => string;
  readonly encoder: CopyTextEncoder<Row>;
}

export async function copyTablesInTurn<Row>(options: CopyTablesOptions<Row>): Promise<void> {
  const { url, rows, rowsPerCommit, tableOf, encoder } = options;
  const pair = [await connect(url), await connect(url)];
  const columns = encoder.columns.map(escapeIdentifier).join(', ');
  let lastCommit: Promise<unknown> = Promise.resolve();
  try {
    for (let start = 0; start < rows.length; start += rowsPerCommit) {
      const client = pair[0] ?? (await connect(url));
      pair.reverse();
      const byTable = new Map<string, Row[]>();
      for (let index = start; index < Math.min(start + rowsPerCommit, rows.length); index++) {
        const row = rows[index];
        if (row === undefined) continue;
        const table = tableOf(row);
        const kept = byTable.get(table);
        if (kept === undefined) byTable.set(table, [row]);
        else kept.push(row);
      }
      await client.query('BEGIN');
      for (const [table, kept] of byTable) {
        const copy = client.query(copyFrom(`COPY ${escapeIdentifier(table)} (${columns}) FROM STDIN`));
        await send(copy, encoder, kept, 0, kept.length);
        copy.end();
        await finished(copy);
      }
      await lastCommit;
      lastCommit = client.query('COMMIT');
      // It is awaited a turn later; until then a failure must not count as unhandled.
      lastCommit.catch(() => undefined);
    }
    await lastCommit;
  } finally {
    await Promise.all(pair.map((client) => client.end()));
  }
}
