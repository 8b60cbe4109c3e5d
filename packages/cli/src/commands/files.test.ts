/** The commands on a destination of files: a local folder through `@eos/s3`. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { callEos, installCore, withFolder, writeFiles } from '../eos.testing.js';

const ROWS = 1_000;
const COMMIT_ROWS = 100;

const PIPELINE = `id: visits
columns:
  id: int64
  city: string
  note: string?
source:
  use: ndjson
  path: data/visits.ndjson
sinks:
  lake:
    use: '@eos/s3'
    folder: lake
    prefix: visits
trigger:
  rows: ${COMMIT_ROWS}
  intervalMs: 600000
`;

interface Visit {
  readonly id: number;
  readonly city: string;
  readonly note: string | null;
}

const visits = Array.from({ length: ROWS }, (_, id): Visit => ({
  id,
  city: `city ${id % 7}`,
  note: id % 3 ? 'x' : null,
}));

const FILES = {
  'pipeline.yaml': PIPELINE,
  'data/visits.ndjson': visits.map((visit) => `${JSON.stringify(visit)}\n`).join(''),
};

const read = (text: string): unknown => JSON.parse(text);

describe('a local folder as destination', () => {
  test('is written, told about, compared, compacted and vacuumed', async () => {
    await withFolder(FILES, async (folder) => {
      const call = async (...words: string[]) => {
        const { code, stdout, stderr } = await callEos(folder, words);
        expect(stderr).toBe('');
        expect(code).toBe(0);
        return stdout;
      };
      expect(read(await call('explain', 'pipeline.yaml'))).toMatchObject({ guarantee: 'exactly-once' });
      await call('run', 'pipeline.yaml');
      expect(await rowsIn(join(folder, 'lake/visits'))).toEqual(visits);
      expect(await namesIn(join(folder, 'lake/visits'))).toHaveLength(ROWS / COMMIT_ROWS);
      const status = read(await call('status', 'pipeline.yaml'));
      expect(status).toMatchObject({
        sinks: [{ sink: 'lake', partitions: [{ epoch: String(ROWS / COMMIT_ROWS), lag: '0' }] }],
      });
      expect(read(await call('verify', 'pipeline.yaml'))).toMatchObject({ verdict: 'equal', found: ROWS });

      const dry = read(await call('compact', 'pipeline.yaml', '--dry-run'));
      const before = { files: ROWS / COMMIT_ROWS, rows: ROWS };
      expect(dry).toMatchObject({ pipeline: 'visits', sink: 'lake', dryRun: true, before });
      expect(read(await call('compact', 'pipeline.yaml'))).toMatchObject({
        dryRun: false,
        before,
        after: { files: 1, rows: ROWS },
      });
      expect(await namesIn(join(folder, 'lake/visits'))).toHaveLength(ROWS / COMMIT_ROWS + 1);
      expect(read(await call('verify', 'pipeline.yaml'))).toMatchObject({ verdict: 'equal', found: ROWS });

      expect(await callEos(folder, ['compact', 'pipeline.yaml', '--sort-by', 'id'])).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/^EOS_CONFIG: .*not sorted/),
      });

      // The floor of the first is where the log began, that of the second where it ended at the first.
      expect(read(await call('vacuum', 'pipeline.yaml', '--delete'))).toMatchObject({
        dryRun: false,
        files: 0,
      });
      const old = { files: ROWS / COMMIT_ROWS, uploads: 0 };
      expect(read(await call('vacuum', 'pipeline.yaml'))).toMatchObject({ ...old, dryRun: true });
      expect(await namesIn(join(folder, 'lake/visits'))).toHaveLength(ROWS / COMMIT_ROWS + 1);
      expect(read(await call('vacuum', 'pipeline.yaml', '--delete'))).toMatchObject({
        ...old,
        dryRun: false,
      });
      expect(await rowsIn(join(folder, 'lake/visits'))).toEqual(visits);
      expect(read(await call('verify', 'pipeline.yaml'))).toMatchObject({ verdict: 'equal', found: ROWS });

      // The pipeline goes on behind it.
      const more = { id: ROWS, city: 'new', note: null };
      await writeFiles(folder, {
        'data/visits.ndjson': `${FILES['data/visits.ndjson']}${JSON.stringify(more)}\n`,
      });
      await call('run', 'pipeline.yaml');
      expect(await rowsIn(join(folder, 'lake/visits'))).toEqual([...visits, more]);
    });
  });

  test('tells people in sentences', async () => {
    await withFolder(FILES, async (folder) => {
      const call = async (...words: string[]) => (await callEos(folder, words, { isTTY: true })).stdout;
      await call('run', 'pipeline.yaml', '--quiet');
      expect(await call('compact', 'pipeline.yaml')).toMatch(
        /^10 files with \S+ KB and 1,000 rows before, 1 file with \S+ KB and 1,000 rows now, up to entry \d+\n$/,
      );
      await call('vacuum', 'pipeline.yaml', '--delete');
      expect(await call('vacuum', 'pipeline.yaml')).toMatch(
        /^10 files with \S+ KB, and 0 unfinished uploads, from before entry \d+, would be deleted\. Do it by --delete\.\n$/,
      );
    });
  });

  test('a sink that is not made of files is told apart', async () => {
    const module = `import { iterableSource, memorySink, memoryStore } from '@eos/core';
      export default { id: 'n', source: iterableSource({ items: [] }), sinks: { memory: memorySink(memoryStore()) } };`;
    await withFolder({ 'pipeline.mjs': module }, async (folder) => {
      await installCore(folder);
      for (const [command, what] of [
        ['compact', 'be compacted'],
        ['vacuum', 'be vacuumed'],
      ] as const) {
        expect(await callEos(folder, [command, 'pipeline.mjs'])).toEqual({
          code: 2,
          stdout: '',
          stderr: `EOS_CONFIG: none of the sinks can ${what}\n`,
        });
      }
    });
  });

  test('options are checked, and quoted', async () => {
    const wrong: [string, string, RegExp][] = [
      [
        'folder: lake',
        'folder: lake\n    bucket: b',
        /EOS_CONFIG: pipeline.yaml:\d+:\d+: .*exactly one of bucket, folder/,
      ],
      ['folder: lake', 'folder: lake\n    fromat: csv', /no option "fromat": did you mean "format"\?/],
      ['folder: lake', 'folder: lake\n    store: x', /has no option "store"/],
      [
        'folder: lake',
        'folder: lake\n    roll: { rows: 0 }',
        /roll\.rows must be a whole number of at least 1/,
      ],
      [
        'columns:\n  id: int64\n  city: string\n  note: string?\n',
        '',
        /schema is missing, or columns of the pipeline/,
      ],
    ];
    for (const [from, to, message] of wrong) {
      await withFolder({ ...FILES, 'pipeline.yaml': PIPELINE.replace(from, to) }, async (folder) => {
        const { code, stderr } = await callEos(folder, ['explain', 'pipeline.yaml']);
        expect(stderr).toMatch(message);
        expect(code).toBe(2);
      });
    }
  });
});

async function namesIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith('.ndjson')).sort();
}

/** All rows that lie there, whatever the log says. Names of files do not tell their order. */
async function rowsIn(folder: string): Promise<Visit[]> {
  const texts = await Promise.all(
    (await namesIn(folder)).map((name) => readFile(join(folder, name), 'utf8')),
  );
  const rows = texts.flatMap((text) =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Visit),
  );
  return rows.sort((left, right) => left.id - right.id);
}
