/**
 * The encoder alone: row objects to columns by plain loops, hyparquet-writer with its defaults (snappy, statistics), one durable file
 * for as many rows as a commit of ours has. No table, no position.
 */
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetWriteBuffer, type ColumnSource } from 'hyparquet-writer';
import type { BenchRow } from '../rows.js';

export async function encodeFiles(
  folder: string,
  rows: readonly BenchRow[],
  rowsPerFile: number,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (let start = 0; start < rows.length; start += rowsPerFile) {
    const end = Math.min(start + rowsPerFile, rows.length);
    const body = parquetWriteBuffer({ columnData: columnsOf(rows, start, end) });
    const file = await open(join(folder, `part-${start}.parquet`), 'wx');
    await file.writeFile(new Uint8Array(body));
    await file.sync();
    await file.close();
  }
}

function columnsOf(rows: readonly BenchRow[], start: number, end: number): ColumnSource[] {
  const count = end - start;
  const ids = new BigInt64Array(count);
  const names = new Array<string>(count);
  const amounts = new Float64Array(count);
  const quantities = new Int32Array(count);
  const moments = new Array<unknown>(count);
  const notes = new Array<string | null>(count);
  for (let at = 0; at < count; at++) {
    const row = rows[start + at];
    if (row === undefined) continue;
    ids[at] = BigInt(row.id);
    names[at] = row.name;
    amounts[at] = row.amount;
    quantities[at] = row.quantity;
    moments[at] = row.happened_at;
    notes[at] = row.note ?? null;
  }
  return [
    { name: 'id', data: ids, type: 'INT64', nullable: false },
    { name: 'name', data: names, type: 'STRING', nullable: false },
    { name: 'amount', data: amounts, type: 'DOUBLE', nullable: false },
    { name: 'quantity', data: quantities, type: 'INT32', nullable: false },
    { name: 'happened_at', data: moments, type: 'TIMESTAMP', nullable: false },
    { name: 'note', data: notes, type: 'STRING', nullable: true },
  ];
}
