/** What one format cannot hold, none takes: the format of a table may be another one tomorrow. */
import { rowSchema, t, type Column } from '@eos/core';
import { memoryObjectStore } from '@eos/object-store';
import { describe, expect, test } from '@jest/globals';
import { createDataFiles } from './data-files-writer.js';
import { checkFileOptions, type FileFormat } from './settings.js';

async function write(format: FileFormat, column: Column, value: unknown): Promise<number> {
  const schema = rowSchema({ value: column });
  const settings = checkFileOptions({ schema, format });
  const place = { store: memoryObjectStore(), prefix: '', seen: 0n, pending: false };
  const files = createDataFiles<object>(place, settings);
  await files.write({ partition: '0', rows: [{ value }], offsets: BigInt64Array.of(5n) });
  const [file] = await files.seal();
  return file?.rows ?? 0;
}

const FORMATS = ['ndjson', 'csv', 'parquet'] as const;

describe.each(FORMATS)('%s', (format) => {
  test.each<[string, Column, unknown]>([
    ['a timestamp in front of year 0', t.timestamp(), -62_167_219_200_000_001n],
    ['a timestamp behind year 9999', t.timestamp(), 253_402_300_800_000_000n],
    ['the last timestamp of 64 bits', t.timestamp(), 2n ** 63n - 1n],
    ['a Date in front of year 0', t.timestamp(), new Date(-62_167_219_200_001)],
    ['a Date behind year 9999', t.timestamp(), new Date(8.64e15)],
    ['no Date', t.timestamp(), new Date(NaN)],
    ['half of a surrogate pair', t.string(), '\ud800'],
    ['half of a surrogate pair in JSON', t.json(), { a: ['\\\udfff'] }],
    ['a number that JSON lacks', t.json(), [null, Infinity]],
    ['a decimal with a digit too many', t.decimal(5, 2), '1.234'],
  ])('%s is refused', async (_, column, value) => {
    await expect(write(format, column, value)).rejects.toMatchObject({
      code: 'EOS_ROW',
      details: { partition: '0', offset: 5n, column: 'value' },
    });
  });

  test.each<[string, Column, unknown]>([
    ['the first timestamp', t.timestamp(), -62_167_219_200_000_000n],
    ['the last timestamp', t.timestamp(), 253_402_300_799_999_999n],
    ['JSON that reads like half of a pair', t.json(), { a: '\\ud800' }],
  ])('%s is taken', async (_, column, value) => {
    expect(await write(format, column, value)).toBe(1);
  });
});
