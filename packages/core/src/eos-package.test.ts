import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ConfiguredOptions } from './connector-package.js';
import { eosPackage } from './eos-package.js';
import { memorySink, memoryStore } from './memory-sink.js';
import { pipeline } from './pipeline.js';
import type { Positions } from './positions.js';
import type { Source } from './source.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eos-package-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

function sourceOf(name: string, options: ConfiguredOptions): Source<unknown> {
  const type = eosPackage.sources?.[name];
  if (type === undefined) throw new Error(`there is no source ${name}`);
  return type.create(options, { folder });
}

async function rowsOf(source: Source<unknown>): Promise<{ rows: unknown[]; positions: Positions }> {
  const store = memoryStore<object>();
  // Every source below is of objects.
  const objects = source as Source<object>;
  const { positions } = await pipeline({
    id: 'p',
    source: objects,
    sinks: { memory: memorySink(store) },
    ...(source.replayable ? {} : { guarantee: 'at-most-once' }),
  }).run();
  return { rows: store.rows(), positions };
}

describe('the sources, by options of a file', () => {
  test('paths start at the folder of the configuration, and a schema converts', async () => {
    await writeFile(join(folder, 'a.ndjson'), '{"id":1}\n{"id":"9007199254740993"}\n');
    const { rows } = await rowsOf(sourceOf('ndjson', { path: 'a.ndjson', schema: { id: 'int64' } }));
    expect(rows).toEqual([{ id: 1n }, { id: 9007199254740993n }]);
  });

  test('a list of paths below a root names partitions from there', async () => {
    await writeFile(join(folder, 'b.csv'), 'id;note\n1;x\n');
    const source = sourceOf('csv', { path: ['b.csv'], root: '..', delimiter: ';' });
    const { rows, positions } = await rowsOf(source);
    expect(rows).toEqual([{ id: '1', note: 'x' }]);
    expect([...positions.keys()]).toEqual([`${folder.split('/').at(-1) ?? ''}/b.csv`]);
  });

  test('a JSON array', async () => {
    await writeFile(join(folder, 'c.json'), '[{"id":1},{"id":2}]');
    expect((await rowsOf(sourceOf('json-array', { path: 'c.json' }))).rows).toEqual([{ id: 1 }, { id: 2 }]);
  });

  test('standard input says that it cannot be read again', () => {
    const source = sourceOf('stdin', { format: 'ndjson', schema: { id: 'int64' } });
    expect([source.description, source.replayable]).toEqual(['ndjson standard input', false]);
  });
});

describe('lag', () => {
  const lagOf = async (source: Source<unknown>, positions: Positions) => {
    const found = await source.abilities?.lag?.(positions);
    return Object.fromEntries(found ?? []);
  };

  test('of a file is what lies behind the offset, and nothing once its end was seen', async () => {
    await writeFile(join(folder, 'd.ndjson'), '{"id":1}\n\n');
    const source = sourceOf('ndjson', { path: 'd.ndjson' });
    expect(await lagOf(source, new Map())).toEqual({
      'd.ndjson': { unit: 'bytes', behind: 10n, total: 10n },
    });
    const { positions } = await rowsOf(source);
    expect(await lagOf(source, positions)).toEqual({ 'd.ndjson': { unit: 'bytes', behind: 0n, total: 10n } });
    await writeFile(join(folder, 'd.ndjson'), '{"id":1}\n\n{"id":2}\n');
    const [position] = positions.values();
    expect(position?.offset).toBe(9n);
    expect(await lagOf(source, positions)).toEqual({
      'd.ndjson': { unit: 'bytes', behind: 10n, total: 19n },
    });
  });

  test('of a gzip file is unknown until its end was seen', async () => {
    await writeFile(join(folder, 'e.ndjson.gz'), gzipSync('{"id":1}\n'));
    const source = sourceOf('ndjson', { path: 'e.ndjson.gz' });
    expect(await lagOf(source, new Map())).toEqual({ 'e.ndjson.gz': { unit: 'bytes' } });
    const { positions } = await rowsOf(source);
    expect(await lagOf(source, positions)).toEqual({ 'e.ndjson.gz': { unit: 'bytes', behind: 0n } });
  });

  test('of a file that is not there is an error', async () => {
    await expect(lagOf(sourceOf('ndjson', { path: 'gone.ndjson' }), new Map())).rejects.toMatchObject({
      code: 'EOS_SOURCE_UNAVAILABLE',
    });
  });
});
