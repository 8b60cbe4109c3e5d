/** The commands on a Delta table in a local folder, and on a second pipeline that reads it. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { callEos, withFolder, writeFiles } from '../eos.testing.js';

const ROWS = 300;
const COMMIT_ROWS = 100;

const COLUMNS = `columns: { id: int64, city: string? }`;

const FIRST = `id: first
${COLUMNS}
source: { use: ndjson, path: changes.ndjson, op: op, changelog: upsert }
sinks:
  lake:
    use: '@eos/delta'
    folder: lake
    path: tables/cities
    mode: upsert
    key: [id]
    properties: { delta.deletedFileRetentionDuration: interval 0 seconds }
trigger: { rows: ${COMMIT_ROWS}, intervalMs: 600000 }
`;

/** All that the first table does, from its first version on. */
const SECOND = `id: second
${COLUMNS}
source: { use: '@eos/delta', folder: lake, path: tables/cities, changelog: upsert, after: -1 }
sinks:
  copy: { use: '@eos/delta', folder: copy, mode: upsert, key: [id] }
trigger: { rows: 70, intervalMs: 600000 }
`;

const ids = Array.from({ length: ROWS }, (_, id) => id);
const changes = [
  ...ids.map((id) => ({ op: '+I', id, city: `city ${id}` })),
  ...ids.map((id) => ({ op: '+U', id, city: `town ${id}` })),
  ...ids.filter((id) => id % 10 === 0).map((id) => ({ op: '-D', id })),
];
const LEFT = ROWS - ROWS / 10;
const COMMITS = Math.ceil(changes.length / COMMIT_ROWS);
const lines = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const FILES = { 'first.yaml': FIRST, 'second.yaml': SECOND, 'changes.ndjson': lines(changes) };

describe('a Delta table', () => {
  test('is written, told about, compared, compacted, vacuumed, and read by the next pipeline', async () => {
    await withFolder(FILES, async (folder) => {
      const call = async (...words: string[]): Promise<unknown> => {
        const { code, stdout, stderr } = await callEos(folder, words);
        expect(stderr).toBe('');
        expect(code).toBe(0);
        return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
      };
      const dataFiles = async () =>
        (await readdir(join(folder, 'lake/tables/cities'))).filter((name) => name.endsWith('.parquet'));
      const equal = { verdict: 'equal', found: LEFT };
      expect(await call('explain', 'first.yaml')).toMatchObject({ guarantee: 'exactly-once' });
      await call('run', 'first.yaml');
      expect(await call('status', 'first.yaml')).toMatchObject({
        sinks: [{ sink: 'lake', partitions: [{ epoch: String(COMMITS), lag: '0' }] }],
      });
      expect(await call('verify', 'first.yaml')).toMatchObject(equal);
      await call('run', 'second.yaml');
      expect(await call('verify', 'second.yaml')).toMatchObject(equal);

      const written = await dataFiles();
      const dry = await call('compact', 'first.yaml', '--dry-run');
      expect(dry).toMatchObject({ before: { rows: LEFT }, after: { rows: LEFT }, dryRun: true });
      expect(await dataFiles()).toEqual(written);
      const compacted = { after: { files: 1, rows: LEFT } };
      expect(await call('compact', 'first.yaml', '--sort-by', 'city')).toMatchObject(compacted);
      const unknown = await callEos(folder, ['compact', 'first.yaml', '--sort-by', 'town']);
      expect(unknown).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/EOS_CONFIG: .*sortBy.*"town"/),
      });
      await call('vacuum', 'first.yaml', '--delete');
      expect(await call('vacuum', 'first.yaml')).toMatchObject({ dryRun: true, files: written.length });
      expect(await call('vacuum', 'first.yaml', '--delete')).toMatchObject({ files: written.length });
      expect(await dataFiles()).toHaveLength(1);
      expect(await call('verify', 'first.yaml')).toMatchObject(equal);

      // Both go on behind it.
      const more = [...changes, { op: '+I', id: ROWS, city: 'new' }];
      await writeFiles(folder, { 'changes.ndjson': lines(more) });
      await call('run', 'first.yaml');
      expect(await call('status', 'second.yaml')).toMatchObject({ sinks: [{ partitions: [{ lag: '1' }] }] });
      await call('run', 'second.yaml');
      expect(await call('status', 'second.yaml')).toMatchObject({ sinks: [{ partitions: [{ lag: '0' }] }] });
      expect(await call('verify', 'first.yaml')).toMatchObject({ verdict: 'equal', found: LEFT + 1 });
    });
  });

  test('options of source and sink are checked, and quoted', async () => {
    const wrong: readonly (readonly [string, string, string, RegExp])[] = [
      ['first.yaml', 'key: [id]', 'key: [town]', /EOS_CONFIG: first.yaml:\d+:\d+: .*key: names "town"/],
      ['first.yaml', 'mode: upsert', 'mode: merge', /mode must be one of/],
      ['first.yaml', 'path: tables/cities', 'prefix: tables', /no option "prefix"/],
      ['second.yaml', 'after: -1', 'after: -2', /EOS_CONFIG: second.yaml:\d+:\d+: .*after/],
      ['second.yaml', 'after: -1', 'follow: maybe', /follow/],
    ];
    for (const [file, from, to, message] of wrong) {
      const files = { ...FILES, [file]: FILES[file as keyof typeof FILES].replace(from, to) };
      await withFolder(files, async (folder) => {
        const { code, stderr } = await callEos(folder, ['explain', file]);
        expect(stderr).toMatch(message);
        expect(code).toBe(2);
      });
    }
  });
});
