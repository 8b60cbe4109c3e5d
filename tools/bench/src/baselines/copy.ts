/**
 * Raw COPY, as fast as `pg` and `pg-copy-streams` go without any promise: nothing compares, nothing records a position, and a crash
 * in the middle loses or doubles rows.
 *
 * It is made to be hard to beat, so that the ratio tells what exactly once costs and nothing else:
 * - the same encoder as ours (`copyTextEncoder` of `@eos/postgres`), the same rows, the same size of transactions, commits in the
 *   same order, the same table;
 * - the same overlap of encoding with the server: two connections take turns, and the rows of the next transaction are encoded and
 *   sent while the last one commits;
 * - fewer round trips than a program would spend that says BEGIN and COMMIT: a COPY by itself is one transaction, which commits
 *   with the end of its data;
 * - a stream buffer that lets encoding go on while the server gets ready for the COPY.
 */
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { copyTextEncoder, type CopyTextEncoder } from '@eos/postgres';
import { Client, escapeIdentifier } from 'pg';
import { from as copyFrom, type CopyStreamQuery } from 'pg-copy-streams';
import { schema, type BenchRow } from '../rows.js';

export interface CopyOptions {
  readonly url: string;
  readonly table: string;
  readonly rows: readonly BenchRow[];
  readonly rowsPerCommit: number;
  /** Told how long each commit took, from the end of its data to the answer, in milliseconds. */
  readonly onCommit?: (milliseconds: number) => void;
}

/** The same for rows of another shape. */
export interface CopyRowsOptions<Row> extends Omit<CopyOptions, 'rows'> {
  readonly rows: readonly Row[];
  readonly encoder: CopyTextEncoder<Row>;
}

const STREAM_BYTES = 1024 * 1024;

/** Writes all rows; resolves when the last transaction is committed. */
export async function copyInTurn(options: CopyOptions): Promise<void> {
  // Made anew for each run, as the sink's is at each start: the engine compiles one that lives longer a little better.
  await copyRowsInTurn({ ...options, encoder: copyTextEncoder(schema) });
}

/** Writes all rows of any shape; resolves when the last transaction is committed. */
export async function copyRowsInTurn<Row>({
  url,
  table,
  rows,
  rowsPerCommit,
  onCommit,
  encoder,
}: CopyRowsOptions<Row>): Promise<void> {
  const pair: [Client, Client] = [await connect(url), await connect(url)];
  const sql = `COPY ${escapeIdentifier(table)} (${encoder.columns.map(escapeIdentifier).join(', ')}) FROM STDIN`;
  let lastCommit = Promise.resolve();
  try {
    for (let start = 0; start < rows.length; start += rowsPerCommit) {
      const [client] = pair;
      pair.reverse();
      const copy = client.query(copyFrom(sql, { highWaterMark: STREAM_BYTES }));
      await send(copy, encoder, rows, start, Math.min(start + rowsPerCommit, rows.length));
      await lastCommit;
      lastCommit = commit(copy, onCommit);
      // It is awaited a turn later; until then a failure must not count as unhandled.
      lastCommit.catch(() => undefined);
    }
    await lastCommit;
  } finally {
    await Promise.all(pair.map((client) => client.end()));
  }
}

export async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return client;
}

export async function send<Row>(
  copy: CopyStreamQuery,
  { block }: CopyTextEncoder<Row>,
  rows: readonly Row[],
  start: number,
  end: number,
): Promise<void> {
  let next = start;
  while (next < end) {
    const encoded = block(rows, next, end);
    next = encoded.next;
    if (!copy.write(encoded.bytes)) await once(copy, 'drain');
  }
}

async function commit(copy: CopyStreamQuery, onCommit: CopyOptions['onCommit']): Promise<void> {
  const start = performance.now();
  copy.end();
  await finished(copy);
  onCommit?.(performance.now() - start);
}
