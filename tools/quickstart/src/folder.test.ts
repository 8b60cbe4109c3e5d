import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { hasUncommittedFiles, readFolder } from './folder.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "quickstart's-test-"));
  await mkdir(join(folder, 'flights/_eos/log'), { recursive: true });
});

afterEach(() => rm(folder, { recursive: true }));

const claim = (owner: string) => ({ kind: 'claim', owner });

const commit = (owner: string, epoch: number, from: string | null, offset: string, path: string) => ({
  kind: 'commit',
  owner,
  from: { file: from },
  positions: { file: { epoch: String(epoch), offset } },
  files: [{ path }],
});

/** Entries as the sink would put them, by their numbers. */
async function putLog(entries: Readonly<Record<number, unknown>>): Promise<void> {
  for (const [sequence, entry] of Object.entries(entries))
    await writeFile(
      join(folder, 'flights/_eos/log', `${sequence.padStart(20, '0')}.json`),
      JSON.stringify(entry),
    );
}

/** A file of one flight, made by DuckDB. */
async function putFile(name: string, offset: number): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const path = join(folder, 'flights', name).replaceAll("'", "''");
  await connection.run(
    `COPY (SELECT ${offset}::BIGINT source_offset, 1 delay, 2 distance, 3.5::DOUBLE AS time) TO '${path}' (FORMAT parquet)`,
  );
  connection.closeSync();
  instance.closeSync();
}

const [FIRST, SECOND, STRAY] = ['1-a.parquet', '2-b.parquet', '3-c.parquet'];

describe('the folder', () => {
  test('holds the rows of the files that its log names, and no others', async () => {
    await putFile(FIRST, 1);
    await putFile(SECOND, 40);
    await putFile(STRAY, 80);
    await putLog({
      0: { kind: 'table' },
      1: claim('one'),
      2: commit('one', 1, null, '40', FIRST),
      3: claim('two'),
      4: commit('two', 2, '40', '80', SECOND),
    });
    expect(await readFolder(folder)).toEqual({
      rows: [
        ['1', '1 2 3.5'],
        ['40', '1 2 3.5'],
      ],
      position: { offset: 80, commits: 2 },
    });
  });

  test('of nobody yet holds nothing', async () => {
    expect(await readFolder(join(folder, 'missing'))).toEqual({ rows: [], position: undefined });
  });

  test('shows a file that two commits name twice', async () => {
    await putFile(FIRST, 1);
    await putLog({
      0: claim('one'),
      1: commit('one', 1, null, '40', FIRST),
      2: commit('one', 2, '40', '80', FIRST),
    });
    const { rows } = await readFolder(folder);
    expect(rows.map(([key]) => key)).toEqual(['1', '1']);
  });

  test.each<[string, Readonly<Record<number, unknown>>, RegExp]>([
    ['a gap', { 0: claim('one'), 2: commit('one', 1, null, '40', FIRST) }, /has no entry 1/],
    [
      'a commit of a writer that lost its claim',
      { 0: claim('one'), 1: claim('two'), 2: commit('one', 1, null, '40', FIRST) },
      /entry 2 .* refused/,
    ],
    [
      'a commit that passes rows over',
      { 0: claim('one'), 1: commit('one', 1, null, '40', FIRST), 2: commit('one', 2, '60', '80', SECOND) },
      /entry 2 .* refused/,
    ],
    [
      'the same epoch twice',
      { 0: claim('one'), 1: commit('one', 1, null, '40', FIRST), 2: commit('one', 1, '40', '80', SECOND) },
      /entry 2 .* refused/,
    ],
  ])('refuses a log with %s', async (_, entries, message) => {
    await putLog(entries);
    await expect(readFolder(folder)).rejects.toThrow(message);
  });

  test('tells files of the last writer that are not committed', async () => {
    await putFile('0-old.parquet', 1);
    await putLog({ 0: claim('none'), 1: claim('one'), 2: commit('one', 1, null, '40', FIRST) });
    await putFile(FIRST, 1);
    expect(await hasUncommittedFiles(folder, 50)).toBe(false);
    await putFile(STRAY, 80);
    expect(await hasUncommittedFiles(folder)).toBe(true);
  });
});
