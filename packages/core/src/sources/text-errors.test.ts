import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { messageOf } from '../errors.js';
import { rowSchema, t } from '../schema.js';
import type { Source } from '../source.js';
import { csvSource, jsonArraySource, ndjsonSource, type FileSourceOptions } from './index.js';
import { openReader, readBatches, readRows, withFolder } from './reading.testing.js';

type MakeSource = (options: FileSourceOptions) => Source<unknown>;

async function readText(
  make: MakeSource,
  text: string | Buffer,
  options: Partial<FileSourceOptions> = {},
): Promise<unknown[]> {
  return await withFolder(async (folder) => {
    const path = join(folder, 'data');
    await writeFile(path, text);
    return await readRows(make({ path, ...options }));
  });
}

/** The error names partition and offset, however small the chunks that the text is read in. */
async function expectError(
  make: MakeSource,
  text: string | Buffer,
  offset: number,
  message: RegExp,
): Promise<void> {
  for (const chunkBytes of [1, 5, 2 ** 20]) {
    await expect(readText(make, text, { chunkBytes })).rejects.toMatchObject({
      code: 'EOS_SOURCE_FORMAT',
      retryable: false,
      message: expect.stringMatching(
        new RegExp(`^partition data, offset ${offset}: .*${message.source}`, 's'),
      ),
      details: { partition: 'data', offset: BigInt(offset) },
    });
  }
}

describe('ndjson that cannot be read', () => {
  test.each([
    { text: '{"a":1}\n{"a":\n{"a":3}\n', offset: 8, message: /is no JSON/ },
    { text: '{"a":1}\n1,2\n', offset: 8, message: /"1,2" is no JSON/ },
    // Each of these lines is no JSON, though joined with commas they would be as many values as there are lines.
    { text: '1,2\n[3\n4]\n', offset: 0, message: /"1,2" is no JSON/ },
    { text: '{\n"a": 1\n}\n', offset: 0, message: /is no JSON/ },
    { text: '{"a":1}\n{"a"', offset: 8, message: /is no JSON/ },
    { text: '\n \n\u00e4', offset: 3, message: /"ä" is no JSON/ },
  ])('$text', async ({ text, offset, message }) => {
    await expectError(ndjsonSource, text, offset, message);
  });

  test('in its message is cut to 100 characters', async () => {
    await readText(ndjsonSource, `${'x'.repeat(5000)}\n`).catch((error: unknown) => {
      expect(messageOf(error)).toContain(`"${'x'.repeat(98)}…`);
      expect(messageOf(error).length).toBeLessThan(350);
    });
    expect.assertions(2);
  });

  test('because it is not UTF-8', async () => {
    const text = Buffer.concat([
      Buffer.from('{"a":1}\n{"b":"'),
      Buffer.from([0xff]),
      Buffer.from('"}\n{"c":1}\n'),
    ]);
    await expectError(ndjsonSource, text, 8, /not UTF-8/);
  });
});

describe('a json array that cannot be read', () => {
  test.each([
    { text: '', offset: 0, message: /ends early, where \[ was expected/ },
    { text: '  {"a":1}', offset: 2, message: /expected \[/ },
    { text: '[', offset: 1, message: /ends early, where element or ] was expected/ },
    { text: '[1, 2', offset: 4, message: /ends early, within the element that starts here/ },
    { text: '[{"a":1}', offset: 8, message: /ends early, where , or ] was expected/ },
    { text: '[{"a":1},', offset: 9, message: /ends early, where element was expected/ },
    { text: '[{"a":1},]', offset: 9, message: /expected element/ },
    { text: '[{"a":"\\"]', offset: 1, message: /within the element/ },
    { text: '[,1]', offset: 1, message: /expected element or ]/ },
    { text: '[1 2]', offset: 3, message: /expected , or ]/ },
    { text: '[1] 2', offset: 4, message: /expected end/ },
    { text: '[1, {"a":[}]}]', offset: 4, message: /is no JSON/ },
    { text: '[1, }]', offset: 4, message: /expected element of/ },
    { text: '[1, tru]', offset: 4, message: /"tru" is no JSON/ },
  ])('$text', async ({ text, offset, message }) => {
    await expectError(jsonArraySource, text, offset, message);
  });
});

describe('csv that cannot be read', () => {
  test.each([
    { text: 'a,b\n1,2\n3\n', offset: 8, message: /1 fields where there are 2 columns/ },
    { text: 'a,b\n1,2,3\n', offset: 4, message: /3 fields where there are 2 columns/ },
    { text: 'a,b\n1,"2\n3,4\n', offset: 4, message: /not closed/ },
    { text: 'a,b\n1,2\n1,"2"x\n', offset: 8, message: /text behind the quote/ },
    { text: 'a,b\n1,2\n1,x"2"\n', offset: 8, message: /a quote within a field/ },
    { text: 'a,a\n1,2\n', offset: 0, message: /a cannot be a name of a column, or is one twice/ },
    { text: 'a,__proto__\n1,2\n', offset: 0, message: /__proto__ cannot be/ },
  ])('$text', async ({ text, offset, message }) => {
    await expectError(csvSource, text, offset, message);
  });

  test('for lack of a column', async () => {
    const schema = rowSchema({ c: t.string().nullable() });
    await expectError(
      (options) => csvSource({ ...options, schema }),
      'a,b\n1,2\n',
      0,
      /no column c, only a, b/,
    );
  });
});

describe('a record that is too large', () => {
  test.each([
    {
      name: 'ndjson',
      make: ndjsonSource,
      text: `{"a":1}\n"${'x'.repeat(93)}"\n`,
      offset: 8,
      fits: 100,
    },
    {
      name: 'json array',
      make: jsonArraySource,
      text: `[{"a":1},"${'x'.repeat(93)}"]`,
      offset: 9,
      fits: 100,
    },
    {
      name: 'csv',
      make: csvSource,
      text: `a\nb\n"${'\n'.repeat(93)}"\n`,
      offset: 4,
      fits: 100,
    },
  ])('is refused, and named ($name)', async ({ make, text, offset, fits }) => {
    for (const chunkBytes of [10, 2 ** 20]) {
      await expect(readText(make, text, { chunkBytes, maxRecordBytes: 50 })).rejects.toMatchObject({
        code: 'EOS_SOURCE_FORMAT',
        message: expect.stringContaining(`offset ${offset}: a record is larger than maxRecordBytes (50)`),
      });
      expect((await readText(make, text, { chunkBytes, maxRecordBytes: fits })).length).toBe(2);
    }
  });

  test('is read where it is allowed, in time that grows with its size', async () => {
    const large = 'ä'.repeat(8_000_000);
    const rows = await readText(ndjsonSource, `{"a":1}\n${JSON.stringify(large)}\n{"b":2}\n`, {
      chunkBytes: 1000,
    });
    expect(rows).toEqual([{ a: 1 }, large, { b: 2 }]);
  });
});

describe('gzip that is damaged', () => {
  const packed = gzipSync('{"a":1}\n'.repeat(1000));

  test('or cut is no end of the text', async () => {
    for (const bytes of [
      packed.subarray(0, packed.length - 9),
      Buffer.concat([packed, Buffer.from([0x1f, 0x8b, 1, 2, 3])]),
      Buffer.from('{}\n'),
    ]) {
      await expect(readText(ndjsonSource, bytes, { compression: 'gzip' })).rejects.toMatchObject({
        code: 'EOS_SOURCE_FORMAT',
        message: expect.stringContaining('damaged or cut as a gzip file'),
        details: { partition: 'data' },
      });
    }
  });

  test('at its end only is one that is still being written, where it may be', async () => {
    const rows = await readText(ndjsonSource, packed.subarray(0, packed.length - 9), {
      compression: 'gzip',
      growing: true,
    });
    expect(rows.length).toBeLessThanOrEqual(1000);
    expect(await readText(ndjsonSource, packed, { compression: 'gzip', growing: true })).toHaveLength(1000);
  });
});

describe('values and ops', () => {
  const schema = rowSchema({ id: t.int64(), note: t.string().nullable(), constructor: t.json().nullable() });

  test('of a schema come converted, in its order, without what it does not name', async () => {
    const expected = [
      { id: 9007199254740993n, note: null, constructor: null },
      { id: 2, note: '', constructor: [1] },
    ];
    const json = '{"note":null,"id":"9007199254740993"}\n{"extra":1,"constructor":[1],"id":2,"note":""}\n';
    expect(await readText((options) => ndjsonSource({ ...options, schema }), json)).toEqual(expected);
    const csv = 'constructor,note,extra,id\n,,,9007199254740993\n[1],"",x,2\n';
    const [first, second] = await readText((options) => csvSource({ ...options, schema }), csv);
    expect([first, second]).toEqual([expected[0], { ...expected[1], id: 2n }]);
    expect(Object.keys(first as object)).toEqual(['id', 'note', 'constructor']);
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

describe('options', () => {
  test.each([
    { name: 'path', make: () => ndjsonSource({ path: [] }) },
    { name: 'path', make: () => ndjsonSource({ path: '' }) },
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
