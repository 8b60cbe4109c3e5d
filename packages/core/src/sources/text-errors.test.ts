import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import { messageOf } from '../errors.js';
import { rowSchema, t } from '../schema.js';
import { csvSource, jsonArraySource, ndjsonSource } from './index.js';
import { expectError, readText } from './reading.testing.js';

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
    { text: 'a,b\r1,2\r3,4\r', offset: 0, message: /bare carriage return/ },
    { text: 'a,b\n1,2\r3,4\r\n', offset: 4, message: /bare carriage return/ },
    { text: 'a,b\n1,2\r\r\n', offset: 4, message: /bare carriage return/ },
    { text: 'a,b\n"1",2\r3,4\n', offset: 4, message: /bare carriage return/ },
    { text: 'a,b\n1,"2"\r3,4\n', offset: 4, message: /bare carriage return/ },
    { text: 'a,a\n1,2\n', offset: 0, message: /a cannot be a name of a column, or is one twice/ },
    { text: 'a,__proto__\n1,2\n', offset: 0, message: /__proto__ cannot be/ },
  ])('$text', async ({ text, offset, message }) => {
    await expectError(csvSource, text, offset, message);
  });

  test('is not for a carriage return that is quoted or ends a line with a newline', async () => {
    const text = 'a,b\r\n"1\r2",3\r\n';
    for (const chunkBytes of [1, 2 ** 20])
      expect(await readText(csvSource, text, { chunkBytes })).toEqual([{ a: '1\r2', b: '3' }]);
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
