import { describe, expect, test } from '@jest/globals';
import type { DeltaType } from './delta-schema.js';
import { partitionFolders } from './partition-folders.js';
import { partitionTextOf } from './partition-values.js';

function textOf(type: DeltaType, value: unknown, isNullable = true): string | null {
  return partitionTextOf({ name: 'column', type, isNullable, metadata: {} })(value);
}

const DECIMAL = { kind: 'decimal', precision: 7, scale: 2 } as const;

describe('the text of a partition value', () => {
  test.each<[DeltaType, unknown, string | null]>([
    [{ kind: 'boolean' }, true, 'true'],
    [{ kind: 'byte' }, -128, '-128'],
    [{ kind: 'long' }, 2n ** 63n - 1n, '9223372036854775807'],
    [{ kind: 'long' }, 12, '12'],
    [{ kind: 'double' }, -0, '-0.0'],
    [{ kind: 'double' }, Number.NaN, 'NaN'],
    [{ kind: 'double' }, -Infinity, '-Infinity'],
    [DECIMAL, '+012.5', '12.50'],
    [DECIMAL, '-0', '0.00'],
    [DECIMAL, '-.25', '-0.25'],
    [{ kind: 'string' }, 'Köln/1', 'Köln/1'],
    [{ kind: 'string' }, null, null],
    [{ kind: 'string' }, undefined, null],
    [{ kind: 'date' }, '2024-02-29', '2024-02-29'],
    [{ kind: 'timestamp' }, -1n, '1969-12-31T23:59:59.999999Z'],
    [{ kind: 'timestamp' }, new Date('2024-02-29T12:34:56.789Z'), '2024-02-29T12:34:56.789000Z'],
  ])('%j %p', (type, value, text) => {
    expect(textOf(type, value)).toBe(text);
  });

  test.each<[DeltaType, unknown]>([
    [{ kind: 'string' }, ''],
    [{ kind: 'string' }, '\ud800'],
    [{ kind: 'string' }, 5],
    [{ kind: 'byte' }, 128],
    [{ kind: 'integer' }, 1.5],
    [{ kind: 'long' }, 2n ** 63n],
    [DECIMAL, '1.234'],
    [DECIMAL, '123456.00'],
    [DECIMAL, '.'],
    [DECIMAL, 1.5],
    [{ kind: 'date' }, '2023-02-29'],
    [{ kind: 'timestamp' }, 2n ** 62n],
    [{ kind: 'timestamp' }, new Date(Number.NaN)],
    [{ kind: 'boolean' }, 'true'],
  ])('%j refuses %p', (type, value) => {
    expect(() => textOf(type, value)).toThrow(expect.objectContaining({ code: 'EOS_ROW' }));
  });

  test('null is refused where it may not be', () => {
    expect(() => textOf({ kind: 'string' }, null, false)).toThrow(/may not be/);
  });

  test.each<DeltaType>([{ kind: 'binary' }, { kind: 'struct', fields: [] }])('%j parts no table', (type) => {
    expect(() => textOf(type, null)).toThrow(expect.objectContaining({ code: 'EOS_SCHEMA' }));
  });
});

describe('the folder of a partition', () => {
  test.each([
    [{ day: '2026-01-31', city: 'Köln/1' }, 'day=2026-01-31/city=K%C3%B6ln%2F1/'],
    [{ city: null }, 'city=__HIVE_DEFAULT_PARTITION__/'],
    [{ _hidden: '.' }, '%5Fhidden=%2E/'],
    [{ a: "it's * (~) x." }, 'a=it%27s%20%2A%20%28%7E%29%20x%2E/'],
  ])('%j', (values, folder) => {
    expect(partitionFolders(values)).toBe(folder);
  });

  test('is short enough for any file system, and another one for another value', () => {
    const folders = ['x', 'y'].map((end) => partitionFolders({ name: `${'long '.repeat(100)}${end}` }));
    expect(new Set(folders).size).toBe(2);
    for (const folder of folders) expect(folder.length).toBeLessThan(220);
  });
});
