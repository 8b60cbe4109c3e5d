import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { ndjsonSource, type FileSourceOptions } from './index.js';
import { listFiles } from './files.js';
import {
  after,
  never,
  openReader,
  position,
  readBatches,
  withFolder,
  type ReadBatch,
} from './reading.testing.js';

async function fill(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await mkdir(resolve(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), `${JSON.stringify(name)}\n`);
  }
}

const partitions = async (paths: readonly string[], root?: string, extensions: readonly string[] = []) =>
  (await listFiles(paths, { root, extensions })).map(({ partition }) => partition);

describe('the files of a source', () => {
  test('of a folder come in the byte order of their path, without those that begin with a dot or an underscore', async () => {
    await withFolder(async (folder) => {
      await fill(folder, [
        'b/1',
        'b.txt',
        'a',
        'Z',
        'ä',
        '\u{1F600}',
        '\uFF5E',
        'b/10',
        'b/2/x',
        '.hidden',
        'c/.git/x',
        '_SUCCESS',
        '_temporary/0/x',
      ]);
      // By UTF-16 units the emoji would come first of the two.
      const expected = ['Z', 'a', 'b.txt', 'b/1', 'b/10', 'b/2/x', 'ä', '\uFF5E', '\u{1F600}'];
      expect(await partitions([folder])).toEqual(expected);
      const rows = (await readBatches(ndjsonSource({ path: folder }))).flatMap((batch) => [
        batch.partition,
        ...batch.rows,
      ]);
      expect(rows).toEqual(expected.flatMap((name) => [name, name]));
    });
  });

  test('are named from the one folder, or the root', async () => {
    await withFolder(async (folder) => {
      await fill(folder, ['in/a/1', 'in/a/2', 'in/b/1', 'in/ab/1']);
      const path = (name: string) => join(folder, name);
      expect(await partitions([path('in/a/1')])).toEqual(['1']);
      expect(await partitions([path('in/a/2'), path('in/a/1')])).toEqual(['2', '1']);
      expect(await partitions([path('in/a'), path('in/a/1')])).toEqual(['1', '2']);
      expect(await partitions([path('in/a')], folder)).toEqual(['in/a/1', 'in/a/2']);
      expect(await partitions([path('in/ab/1'), path('in/a/1')], path('in'))).toEqual(['ab/1', 'a/1']);
      await expect(partitions([path('in/a')], path('in/b'))).rejects.toMatchObject({ code: 'EOS_CONFIG' });
      await expect(partitions([path('in/ab')], path('in/a'))).rejects.toMatchObject({ code: 'EOS_CONFIG' });
      await expect(partitions([path('in/none')])).rejects.toMatchObject({
        code: 'EOS_SOURCE_UNAVAILABLE',
        retryable: false,
      });
    });
  });

  test('of several folders need a root, since their names would change with the list', async () => {
    await withFolder(async (folder) => {
      await fill(folder, ['in/a/1', 'in/b/1']);
      for (const names of [
        ['in/a', 'in/b'],
        ['in/a/1', 'in/b/1'],
        ['in/b', 'in/a/1'],
        ['in', 'in/a/1'],
      ]) {
        const paths = names.map((name) => join(folder, name));
        await expect(partitions(paths)).rejects.toMatchObject({
          code: 'EOS_CONFIG',
          message: expect.stringContaining('give root'),
        });
        expect([...(await partitions(paths, folder))].sort()).toEqual(['in/a/1', 'in/b/1']);
      }
    });
  });

  test('of a folder may be those of an extension, beside files that are named', async () => {
    await withFolder(async (folder) => {
      await fill(folder, ['a.ndjson', 'b.csv', 'c.ndjson.gz', 'd/e.ndjson', 'f']);
      const found = await partitions([folder, join(folder, 'f')], undefined, ['.ndjson', '.ndjson.gz']);
      expect(found).toEqual(['a.ndjson', 'c.ndjson.gz', 'd/e.ndjson', 'f']);
    });
  });

  test('may be links, which are not followed in a circle', async () => {
    await withFolder(async (folder) => {
      await fill(folder, ['in/1', 'other/2', '3']);
      await symlink(join(folder, 'other'), join(folder, 'in/linked'));
      await symlink(join(folder, '3'), join(folder, 'in/3'));
      await symlink(join(folder, 'in'), join(folder, 'other/back'));
      expect(await partitions([join(folder, 'in')])).toEqual(['1', '3', 'linked/2']);
    });
  });

  test('must not be there twice through a link, of a file or a folder', async () => {
    await withFolder(async (folder) => {
      await fill(folder, ['in/a/1', 'in/b/2']);
      await symlink(join(folder, 'in/a/1'), join(folder, 'in/b/1'));
      const twice = partitions([join(folder, 'in')]);
      await expect(twice).rejects.toMatchObject({
        code: 'EOS_CONFIG',
        message: expect.stringContaining(`${join(folder, 'in/a/1')} and ${join(folder, 'in/b/1')}`),
      });
      await symlink(join(folder, 'in/b'), join(folder, 'linked'));
      const named = partitions([join(folder, 'in/b'), join(folder, 'linked')], folder);
      await expect(named).rejects.toMatchObject({ code: 'EOS_CONFIG' });
    });
  });

  test('must not be links that lead nowhere', async () => {
    await withFolder(async (folder) => {
      await fill(folder, ['1']);
      await symlink('gone', join(folder, '2'));
      await expect(partitions([folder])).rejects.toMatchObject({
        code: 'EOS_SOURCE_UNAVAILABLE',
        retryable: false,
        message: expect.stringContaining(`${join(folder, '2')} is a link to gone, which could not be read`),
      });
    });
  });
});

describe('many files', () => {
  test('come in assignments of at most 100, read one after the other', async () => {
    await withFolder(async (folder) => {
      const names = Array.from({ length: 230 }, (_, index) => String(index).padStart(3, '0'));
      await fill(folder, names);
      const source = ndjsonSource({ path: folder });
      const sizes: number[] = [];
      const seen: unknown[] = [];
      for await (const assignment of source.assignments({ pipeline: 'test', signal: never })) {
        sizes.push(assignment.partitions.length);
        const reader = await assignment.open(new Map(), never);
        for (let batch = await reader.read({ rows: 10 }); batch; batch = await reader.read({ rows: 10 }))
          seen.push(...batch.rows);
        await reader.close();
      }
      expect(sizes).toEqual([100, 100, 30]);
      expect(seen).toEqual(names);
    });
  });

  test('go on where each stopped, whether finished, begun or new', async () => {
    await withFolder(async (folder) => {
      for (const name of ['a', 'b', 'c', 'd'])
        await writeFile(join(folder, name), `"${name}1"\n"${name}2"\n`);
      const options: FileSourceOptions = { path: folder };
      const batches = (await readBatches(ndjsonSource(options), { limits: [1] })) as ReadBatch<unknown>[];
      // a is finished; b is new; c has one row of two, though it comes later; d is claimed, without a commit.
      const positions = new Map([
        ...after(batches[1] as ReadBatch<unknown>),
        ...after(batches[4] as ReadBatch<unknown>),
      ]);
      positions.set('d', { ...position(0n, {}), epoch: 0n, offset: null, txId: null, source: null });
      const rest = await readBatches(ndjsonSource(options), { positions });
      expect(rest.flatMap(({ rows }) => rows)).toEqual(['b1', 'b2', 'c2', 'd1', 'd2']);
    });
  });

  test('are all judged before the first row is read', async () => {
    await withFolder(async (folder) => {
      await fill(folder, ['a', 'b', 'c']);
      const batches = await readBatches(ndjsonSource({ path: folder }));
      await writeFile(join(folder, 'c'), '"another"\n');
      const open = openReader(ndjsonSource({ path: folder }), after(batches[2] as ReadBatch<unknown>));
      await expect(open).rejects.toMatchObject({ code: 'EOS_SOURCE_CHANGED', details: { partition: 'c' } });
    });
  });

  test('without any there is nothing to read', async () => {
    await withFolder(async (folder) => {
      expect(await readBatches(ndjsonSource({ path: folder }))).toEqual([]);
    });
  });
});

describe('a reader', () => {
  test('that is closed, once or twice, reads no more', async () => {
    await withFolder(async (folder) => {
      await fill(folder, ['a', 'b']);
      const reader = await openReader(ndjsonSource({ path: folder }));
      await reader.read({ rows: 1 });
      const pending = reader.read({ rows: 1 });
      await reader.close();
      await reader.close();
      await expect(pending).rejects.toMatchObject({ code: 'EOS_CLOSED' });
      await expect(reader.read({ rows: 1 })).rejects.toMatchObject({ code: 'EOS_CLOSED' });
    });
  });

  test('that is told to stop stops', async () => {
    await withFolder(async (folder) => {
      await fill(folder, ['a', 'b']);
      const stop = new AbortController();
      for await (const assignment of ndjsonSource({ path: folder }).assignments({
        pipeline: 'test',
        signal: never,
      })) {
        const reader = await assignment.open(new Map(), stop.signal);
        await reader.read({ rows: 1 });
        stop.abort();
        await expect(reader.read({ rows: 1 })).rejects.toMatchObject({ code: 'EOS_ABORTED' });
        await reader.close();
        await expect(assignment.open(new Map(), stop.signal)).rejects.toMatchObject({ code: 'EOS_ABORTED' });
      }
    });
  });
});
