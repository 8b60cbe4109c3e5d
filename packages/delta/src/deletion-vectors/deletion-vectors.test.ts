import { crc32 } from 'node:zlib';
import { memoryObjectStore } from '@eos/object-store';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { seed } from '../random.testing.js';
import { bitmapBytes, parseBitmap } from './bitmap.js';
import { vectorName, vectorPath, vectorPlace } from './descriptor.js';
import { RowSet } from './row-set.js';
import { readVector, VectorFile } from './vector-file.js';
import { decodeZ85, encodeZ85 } from './z85.js';

const PLACE = { prefix: 'table/' };

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function unhex(text: string): Uint8Array {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}

function positionsOf(rows: RowSet): readonly number[] {
  return [...rows.positions()];
}

describe(`Z85 (EOS_TEST_SEED=${seed})`, () => {
  test('is that of its specification', () => {
    expect(encodeZ85(unhex('864FD26FB559F75B'))).toBe('HelloWorld');
    expect(hex(decodeZ85('HelloWorld'))).toBe('864fd26fb559f75b');
    expect(encodeZ85(Buffer.alloc(16, 0xff))).toBe('%nSc0%nSc0%nSc0%nSc0');
  });

  test('gives all bytes back, with the zeros that fill them up', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const padded = Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
        expect(hex(decodeZ85(encodeZ85(bytes)))).toBe(hex(padded));
      }),
      { seed },
    );
  });

  test.each(['Hell', 'Hell"', 'HellÖ', '#####', '%nSc1'])('refuses %s', (text) => {
    expect(() => decodeZ85(text)).toThrow(expect.objectContaining({ code: 'EOS_FORMAT' }));
  });
});

describe('names of files', () => {
  test('are UUIDs, with a folder in front where there is one', () => {
    expect(vectorPath('ab^-aqEH.-t@S}K{vb[*k^')).toBe(
      'ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin',
    );
    expect(vectorName('d2c639aa-8816-431a-aaf6-d3fe2512ff61')).toBe('^-aqEH.-t@S}K{vb[*k^');
    expect(vectorName('ffffffff-ffff-ffff-ffff-ffffffffffff')).toBe('%nSc0%nSc0%nSc0%nSc0');
  });

  test('lead nowhere but into the table', () => {
    const escaping = `../../etc${vectorName('d2c639aa-8816-431a-aaf6-d3fe2512ff61')}`;
    expect(() => vectorPath(escaping)).toThrow(expect.objectContaining({ code: 'EOS_FORMAT' }));
    const absolute = {
      storageType: 'p',
      pathOrInlineDv: 's3://other/dv.bin',
      sizeInBytes: 1,
      cardinality: 1,
    } as const;
    expect(() => vectorPlace(PLACE, absolute)).toThrow(expect.objectContaining({ code: 'EOS_SCHEMA' }));
  });
});

/** Rows 3, 4, 7, 11, 18 and 29, as Delta's own writers keep them. */
const ROWS = [3, 4, 7, 11, 18, 29];
const PORTABLE = 'd1d339640100000000000000000000003a3000000100000000000500100000000300040007000b0012001d00';
/** The "JSON Example 3" of the specification. */
const LEGACY_EXAMPLE = 'wi5b=000010000siXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L';

describe(`bitmaps (EOS_TEST_SEED=${seed})`, () => {
  test('are byte for byte those of other writers', () => {
    const bytes = bitmapBytes(RowSet.of(ROWS));
    expect(hex(bytes)).toBe(PORTABLE);
    expect(crc32(bytes)).toBe(0xacd74a79);
    expect(encodeZ85(bytes)).toBe('^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L');
    expect(positionsOf(parseBitmap(unhex(PORTABLE)))).toEqual(ROWS);
  });

  test('of the older layout are read where its lowest byte is first, and never taken for another layout', () => {
    const native = `d0d33964 01000000 1c000000 ${PORTABLE.slice(32)}`;
    expect(positionsOf(parseBitmap(unhex(native)))).toEqual(ROWS);
    const example = decodeZ85(LEGACY_EXAMPLE);
    expect(hex(example.subarray(0, 4))).toBe('6439d3d0');
    expect(() => parseBitmap(example)).toThrow(expect.objectContaining({ code: 'EOS_FORMAT' }));
  });

  test('of runs are read, with offsets and without', () => {
    // Two containers, the first one a run: 5 to 8 and 100; the second an array: 65,537.
    const few = `3b300100 01 0000 0400 0100 0000 0200 0500 0300 6400 0000 0100`;
    expect(positionsOf(parseBitmap(unhex(`d1d33964 0100000000000000 00000000 ${few}`)))).toEqual([
      5, 6, 7, 8, 100, 65_537,
    ]);
    const containers = [0, 1, 2, 3].map((key) => `0${key}00 0200`).join('');
    const offsets = ['25', '2b', '31', '37'].map((at) => `${at}000000`).join('');
    const runs = '0100 0900 0200'.repeat(4);
    const many = `3b300300 0f ${containers} ${offsets} ${runs}`;
    expect(positionsOf(parseBitmap(unhex(`d1d33964 0100000000000000 00000000 ${many}`)))).toEqual(
      [0, 1, 2, 3].flatMap((key) => [9, 10, 11].map((value) => key * 65_536 + value)),
    );
  });

  const position = fc.oneof(
    fc.nat(200),
    fc.nat(70_000),
    fc.maxSafeNat(),
    fc.nat(3).map((high) => high * 2 ** 32 + 5),
  );

  test('give back what was added, in whatever order', () => {
    fc.assert(
      fc.property(fc.array(position), fc.array(position), (positions, others) => {
        const rows = RowSet.of(positions);
        const expected = [...new Set(positions)].sort((left, right) => left - right);
        const read = parseBitmap(bitmapBytes(rows));
        expect(positionsOf(read)).toEqual(expected);
        expect([rows.size, read.size]).toEqual([expected.length, expected.length]);
        for (const each of others) expect(read.has(each)).toBe(expected.includes(each));
        read.addAll(RowSet.of(others));
        expect(read.size).toBe(new Set([...positions, ...others]).size);
      }),
      { seed },
    );
  });

  test.each([4_095, 4_096, 4_097, 65_536, 200_000])('hold %i positions', (count) => {
    const positions = Array.from({ length: count }, (_, index) => (index * 7919) % 1_000_003);
    const rows = RowSet.of(positions);
    const bytes = bitmapBytes(rows);
    const sorted = positions.sort((left, right) => left - right);
    expect(positionsOf(parseBitmap(bytes)).join()).toBe(sorted.join());
    expect(bytes.length).toBeLessThanOrEqual(20 + 16 * 8_200);
  });

  test('that are damaged are refused, or have another number of rows', () => {
    const bytes = bitmapBytes(RowSet.of([...ROWS, 70_000, 2 ** 33]));
    const damage = fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), fc.nat(bytes.length), (changes, cut) => {
        const copy = bytes.slice(0, cut);
        for (const [at, difference] of changes) copy[at] = (copy[at] ?? 0) ^ difference;
        try {
          parseBitmap(copy);
        } catch (error) {
          expect(error).toMatchObject({ code: 'EOS_FORMAT' });
        }
      }),
      { seed, numRuns: 2_000 },
    );
  });
});

describe('files of deletion vectors', () => {
  test('are read as Spark writes them', async () => {
    const store = memoryObjectStore();
    const golden = unhex(
      '01 00000022 d1d33964 0100000000000000 00000000 3a300000 01000000 0000 0000 10000000 0000 f7a6b4b5',
    );
    const name = vectorName('61d16c75-6994-46b7-a15b-8b538852e50e');
    await store.put('table/deletion_vector_61d16c75-6994-46b7-a15b-8b538852e50e.bin', golden);
    const vector = {
      storageType: 'u',
      pathOrInlineDv: name,
      offset: 1,
      sizeInBytes: 34,
      cardinality: 1,
    } as const;
    expect(positionsOf(await readVector(store, PLACE, vector))).toEqual([0]);
  });

  test('hold the vectors of a commit, and tell any damage', async () => {
    const store = memoryObjectStore();
    const file = new VectorFile(store, PLACE);
    expect(file.isEmpty).toBe(true);
    const first = file.add(RowSet.of(ROWS));
    const second = file.add(RowSet.of([0, 65_536]));
    await file.finish();
    expect(first).toEqual({ ...first, storageType: 'u', offset: 1, sizeInBytes: 44, cardinality: 6 });
    expect(second.offset).toBe(1 + 4 + 44 + 4);
    expect(positionsOf(await readVector(store, PLACE, first))).toEqual(ROWS);
    expect(positionsOf(await readVector(store, PLACE, second))).toEqual([0, 65_536]);
    const body = Buffer.from((await store.get(file.key))?.body ?? []);
    for (let at = 0; at < body.length; at++) {
      const damaged = Buffer.from(body);
      damaged[at] = (damaged[at] ?? 0) ^ 0x40;
      await store.put(file.key, damaged);
      const reads = await Promise.allSettled(
        [first, second].map((vector) => readVector(store, PLACE, vector)),
      );
      expect(reads.some(({ status }) => status === 'rejected')).toBe(true);
    }
    await store.put(file.key, body.subarray(0, -1));
    await expect(readVector(store, PLACE, second)).rejects.toMatchObject({ code: 'EOS_FORMAT' });
    await store.delete([file.key]);
    await expect(readVector(store, PLACE, first)).rejects.toMatchObject({ code: 'EOS_FORMAT' });
  });

  test('may be inline, and say how many rows they delete', async () => {
    const store = memoryObjectStore();
    const text = encodeZ85(bitmapBytes(RowSet.of(ROWS)));
    const vector = { storageType: 'i', pathOrInlineDv: text, sizeInBytes: 44, cardinality: 6 } as const;
    expect(positionsOf(await readVector(store, PLACE, vector))).toEqual(ROWS);
    await expect(readVector(store, PLACE, { ...vector, cardinality: 5 })).rejects.toMatchObject({
      code: 'EOS_FORMAT',
    });
    await expect(readVector(store, PLACE, { ...vector, sizeInBytes: 40 })).rejects.toMatchObject({
      code: 'EOS_FORMAT',
    });
  });
});
