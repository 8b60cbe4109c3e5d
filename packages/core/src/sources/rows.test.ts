import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { rowSchema, t } from '../schema.js';
import type { Source } from '../source.js';
import { csvSource, iterableSource, ndjsonSource, standardInput } from './index.js';
import {
  expectError,
  openReader,
  readBatches,
  readRows,
  readText,
  withFolder,
  type MakeSource,
} from './reading.testing.js';

describe('values and ops', () => {
  const schema = rowSchema({ id: t.int64(), note: t.string().nullable(), constructor: t.json().nullable() });

  test('of a schema come converted, in its order, without what it does not name', async () => {
    const expected = [
      { id: 9007199254740993n, note: null, constructor: null },
      { id: 2n, note: '', constructor: [1] },
    ];
    const json = '{"note":null,"id":"9007199254740993"}\n{"extra":1,"constructor":[1],"id":2,"note":""}\n';
    expect(await readText((options) => ndjsonSource({ ...options, schema }), json)).toEqual(expected);
    const csv = 'constructor,note,extra,id\n,,,9007199254740993\n[1],"",x,2\n';
    const found = await readText((options) => csvSource({ ...options, schema }), csv);
    expect(found).toEqual(expected);
    expect(Object.keys(found[0] as object)).toEqual(['id', 'note', 'constructor']);
  });

  test('that do not fit name column and value', async () => {
    const json: MakeSource = (options) => ndjsonSource({ ...options, schema });
    const csv: MakeSource = (options) => csvSource({ ...options, schema });
    const long = 'y'.repeat(300);
    await expectError(
      json,
      `{"id":1}\n{"id":"${long}"}\n`,
      9,
      new RegExp(`column id: "${'y'.repeat(98)}… is no int64`),
    );
    await expectError(
      json,
      '{"id":1}\n{"note":"a"}\n',
      9,
      /column id is null or missing, and is not nullable/,
    );
    await expectError(json, '{"id":1}\n[2]\n', 9, /\[2\] is no object/);
    await expectError(csv, 'id,note,constructor\n1,,\n1.5,,\n', 24, /column id: "1.5" is no int64/);
    await expectError(csv, 'id,note,constructor\n,,\n', 20, /column id is null or missing/);
    const price = rowSchema({ price: t.decimal(5, 2) });
    await expectError(
      (options) => ndjsonSource({ ...options, schema: price }),
      '{"price":"1.234"}\n',
      0,
      /is no decimal\(5, 2\)/,
    );
  });

  test('ops are taken out of the row, with a schema or without', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, 'data');
      const rowsOf = async (source: Source<unknown>) => {
        const [batch] = await readBatches(source);
        return [source.changelog, batch?.rows, [...(batch?.ops ?? [])]];
      };
      const idOnly = rowSchema({ id: t.int32() });
      await writeFile(
        path,
        '{"op":"+I","id":1}\n{"id":1,"op":"-U"}\n{"id":2,"op":"+U"}\n{"id":2,"op":"-D"}\n',
      );
      const expected = ['retract', [{ id: 1 }, { id: 1 }, { id: 2 }, { id: 2 }], [0, 1, 2, 3]];
      expect(await rowsOf(ndjsonSource({ path, op: 'op' }))).toEqual(expected);
      expect(await rowsOf(ndjsonSource({ path, op: 'op', schema: idOnly }))).toEqual(expected);
      expect(await rowsOf(ndjsonSource({ path, op: 'op', changelog: 'upsert' }))).toEqual([
        'upsert',
        ...expected.slice(1),
      ]);
      await writeFile(path, 'id,op\n1,+I\n1,-U\n2,+U\n2,-D\n');
      expect(await rowsOf(csvSource({ path, op: 'op', schema: idOnly }))).toEqual(expected);
      const texts = [{ id: '1' }, { id: '1' }, { id: '2' }, { id: '2' }];
      expect(await rowsOf(csvSource({ path, op: 'op' }))).toEqual(['retract', texts, [0, 1, 2, 3]]);
    });
  });

  test('a delete of an upsert changelog may lack what is not its key', async () => {
    const rows = rowSchema({ id: t.int32(), note: t.string() });
    const text = '{"id":1,"op":"+I","note":"a"}\n{"id":1,"op":"-D"}\n';
    const upsert: MakeSource = (options) =>
      ndjsonSource({ ...options, schema: rows, op: 'op', changelog: 'upsert' });
    expect(await readText(upsert, text)).toEqual([
      { id: 1, note: 'a' },
      { id: 1, note: null },
    ]);
    await expectError(
      (options) => ndjsonSource({ ...options, schema: rows, op: 'op' }),
      text,
      30,
      /column note is null or missing/,
    );
  });

  test('an op that is none, or that the changelog does not have, is refused', async () => {
    const withOps: MakeSource = (options) => ndjsonSource({ ...options, op: 'op' });
    await expectError(withOps, '{"op":"I"}\n', 0, /column op: "I" is no \+I, -U, \+U or -D/);
    await expectError(withOps, '{"id":1}\n', 0, /undefined is no \+I/);
    await expectError(withOps, '7\n', 0, /7 is no object/);
    await expectError(
      (options) => ndjsonSource({ ...options, op: 'op', changelog: 'append' }),
      '{"op":"-D"}\n',
      0,
      /-D in a source/,
    );
    await expectError((options) => csvSource({ ...options, op: 'op' }), 'id\n1\n', 0, /no column op/);
  });
});

describe('csv', () => {
  test('with given columns, with another delimiter or quote, of one column', async () => {
    const read = async (text: string, options: object) =>
      await readText((files) => csvSource({ ...files, ...options }), text);
    expect(await read('1,2\n', { columns: ['a', 'b'] })).toEqual([{ a: '1', b: '2' }]);
    expect(await read('x,y\n1,2\n', { columns: ['a', 'b'], header: true })).toEqual([{ a: '1', b: '2' }]);
    expect(await read("a|b\n'1|''2'|3\n", { delimiter: '|', quote: "'" })).toEqual([{ a: "1|'2", b: '3' }]);
    expect(await read('a,b\n5" pipe,"x\n', { quote: '' })).toEqual([{ a: '5" pipe', b: '"x' }]);
    expect(await read('a\n1\n\n2\n', {})).toEqual([{ a: '1' }, { a: '' }, { a: '2' }]);
    expect(await read('a,b\n\n1,2\n\r\n', {})).toEqual([{ a: '1', b: '2' }]);
    expect(await read('', {})).toEqual([]);
    expect(await read('a,b', {})).toEqual([]);
  });
});

describe('reading', () => {
  test('needs a limit of at least one row', async () => {
    await withFolder(async (folder) => {
      await writeFile(join(folder, 'data'), '1\n');
      const sources: Source<unknown>[] = [
        ndjsonSource({ path: folder }),
        iterableSource({ items: [1] }),
        iterableSource({ replayable: true, open: () => [{ offset: 0n, row: 1 }] }),
        standardInput({ format: 'ndjson', input: Readable.from(['1\n']) }),
      ];
      for (const source of sources) {
        const reader = await openReader(source);
        for (const rows of [0, NaN])
          await expect(reader.read({ rows })).rejects.toMatchObject({ code: 'EOS_CONFIG' });
        expect((await reader.read({ rows: 1 }))?.rows).toEqual([1]);
        await reader.close();
      }
    });
  });

  test('gives rows of the type of the schema', async () => {
    await withFolder(async (folder) => {
      const path = join(folder, 'data');
      await writeFile(path, '{"id":1,"at":"2024-01-01T00:00:00Z"}\n');
      const schema = rowSchema({ id: t.int32(), at: t.timestamp(), note: t.string().nullable() });
      const rows: { id: number; at: bigint | Date; note?: string | null | undefined }[] = await readRows(
        ndjsonSource({ path, schema }),
      );
      expect(rows).toEqual([{ id: 1, at: 1704067200000000n, note: null }]);
    });
  });
});

describe('options', () => {
  test.each([
    { name: 'path', make: () => ndjsonSource({ path: [] }) },
    { name: 'path', make: () => ndjsonSource({ path: '' }) },
    { name: 'extension', make: () => ndjsonSource({ path: 'x', extension: ['.csv', 'csv'] }) },
    { name: 'chunkBytes', make: () => ndjsonSource({ path: 'x', chunkBytes: 0 }) },
    { name: 'maxRecordBytes', make: () => ndjsonSource({ path: 'x', maxRecordBytes: 2 ** 40 }) },
    { name: 'delimiter', make: () => csvSource({ path: 'x', delimiter: '||' }) },
    { name: 'quote', make: () => csvSource({ path: 'x', quote: ',' }) },
    { name: 'columns', make: () => csvSource({ path: 'x', header: false }) },
    { name: 'op', make: () => ndjsonSource({ path: 'x', op: 'id', schema: rowSchema({ id: t.int32() }) }) },
  ])('$name that cannot be is refused at once', ({ name, make }) => {
    expect(make).toThrow(
      expect.objectContaining({ code: 'EOS_CONFIG', message: expect.stringContaining(name) }),
    );
  });

  test('what is no file is refused', async () => {
    await expect(readRows(ndjsonSource({ path: '/dev/null' }))).rejects.toMatchObject({
      code: 'EOS_CONFIG',
      message: expect.stringContaining('standardInput'),
    });
    await expect(openReader(ndjsonSource({ path: '/no/such/file' }))).rejects.toMatchObject({
      code: 'EOS_SOURCE_UNAVAILABLE',
      retryable: false,
    });
  });
});
