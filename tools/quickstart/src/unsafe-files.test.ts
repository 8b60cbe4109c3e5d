import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { readUnsafeFiles, unsafeFolder, type FileTable } from './unsafe-files.js';

const lines = (...rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

test('of the unsafe writer whatever lies there counts, changes in the order of the files', async () => {
  const folder = await mkdtemp(join(tmpdir(), "quickstart's-unsafe-"));
  const put = async (table: FileTable, name: string, text: string) => {
    await mkdir(unsafeFolder(folder, table), { recursive: true });
    await writeFile(join(unsafeFolder(folder, table), name), text);
  };
  try {
    const flight = lines({ source_offset: 1, delay: 1, distance: 2, time: 3 });
    await put('parquet', 'a.ndjson', flight);
    await put('parquet', 'b.ndjson', flight);
    const route = { origin: 'A', destination: 'B', delay_minutes: 7 };
    const other = { ...route, destination: 'C', flights: 1 };
    await put('delta-routes', '2.ndjson', lines({ op: 2, ...route, flights: 2 }, { op: 3, ...other }));
    await put('delta-routes', '1.ndjson', lines({ op: 0, ...route, flights: 1 }, { op: 0, ...other }));
    const position = { offset: 9, commits: undefined };
    expect(await readUnsafeFiles(folder, new Map([['parquet', position]]))).toEqual({
      parquet: {
        rows: [
          ['1', '1 2 3'],
          ['1', '1 2 3'],
        ],
        position,
      },
      'delta-flights': { rows: [], position: undefined },
      'delta-routes': { rows: [['A-B', '2 7']], position: undefined },
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});
