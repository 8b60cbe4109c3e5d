import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Source } from '../source.js';
import { csvSource, jsonArraySource, ndjsonSource, type FileSourceOptions } from './index.js';
import { gzipInTwo, identityAt, position, readBatches, seed, withFolder } from './reading.testing.js';

/** A text that was put together piece by piece, so that it is known where each row is. */
interface Sample {
  readonly text: Buffer;
  readonly rows: readonly unknown[];
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly source: (options: FileSourceOptions) => Source<unknown>;
}

class Writer {
  readonly #pieces: Buffer[] = [];
  readonly #sample = { rows: [] as unknown[], starts: [] as number[], ends: [] as number[] };
  #length = 0;

  add(text: string): void {
    const piece = Buffer.from(text);
    this.#pieces.push(piece);
    this.#length += piece.length;
  }

  /** @param tail what belongs to the record behind its text, such as a newline */
  row(row: unknown, text: string, tail = ''): void {
    this.#sample.rows.push(row);
    this.#sample.starts.push(this.#length);
    this.add(text + tail);
    this.#sample.ends.push(this.#length);
  }

  end(source: Sample['source']): Sample {
    return { ...this.#sample, text: Buffer.concat(this.#pieces), source };
  }
}

const word = fc.string({ unit: 'grapheme', maxLength: 12 });
const lineEnd = fc.constantFrom('\n', '\r\n');
const space = fc.constantFrom('', ' ', '\n', '\t\r\n  ');
const byteOrderMark = fc.constantFrom('', '\uFEFF');
// Not -0, which JSON writes as 0.
const value = fc
  .jsonValue({ stringUnit: 'grapheme', maxDepth: 3 })
  .map((one): unknown => JSON.parse(JSON.stringify(one)));
const isEnded = fc.boolean();

const ndjson = fc
  .record({
    values: fc.array(fc.tuple(value, lineEnd, fc.constantFrom('', ' ', '\n', ' \r\n\n'))),
    byteOrderMark,
    isEnded,
  })
  .map(({ values, byteOrderMark: mark, isEnded: hasLastNewline }) => {
    const writer = new Writer();
    writer.add(mark);
    values.forEach(([one, newline, blank], index) => {
      // A blank with a newline is a line of its own; one without belongs to the row's line.
      const isLine = blank.endsWith('\n');
      if (isLine) writer.add(blank);
      const isLast = index === values.length - 1;
      writer.row(one, (isLine ? '' : blank) + JSON.stringify(one), isLast && !hasLastNewline ? '' : newline);
    });
    return writer.end(ndjsonSource);
  });

const jsonArray = fc
  .record({ values: fc.array(fc.tuple(value, space, space, fc.constantFrom(0, 2))), byteOrderMark, space })
  .map(({ values, byteOrderMark: mark, space: around }) => {
    const writer = new Writer();
    writer.add(`${mark}${around}[${around}`);
    values.forEach(([one, before, behind, indent], index) => {
      writer.add((index === 0 ? '' : ',') + before);
      writer.row(one, JSON.stringify(one, null, indent));
      writer.add(behind);
    });
    writer.add(`]${around}`);
    return writer.end(jsonArraySource);
  });

const csvField = fc.tuple(
  fc.oneof(
    word,
    fc.constantFrom('', '"', 'a,b', 'two\nlines', 'two\r\nlines', '"quoted"', ';', '\r', 'ä€😀'),
  ),
  fc.boolean(),
);

const csv = fc
  .record({
    records: fc.array(fc.tuple(csvField, csvField, csvField, lineEnd, fc.constantFrom('', '\n', '\r\n'))),
    delimiter: fc.constantFrom(',', ';', '\t'),
    byteOrderMark,
    isEnded,
  })
  .map(({ records, delimiter, byteOrderMark: mark, isEnded: hasLastNewline }) => {
    const names = ['first', 'se"cond', 'thi\nrd'];
    const field = (text: string, isQuoted: boolean) =>
      isQuoted || /["\r\n]/.test(text) || text.includes(delimiter) ? `"${text.replaceAll('"', '""')}"` : text;
    const writer = new Writer();
    writer.add(`${mark}${names.map((name) => field(name, false)).join(delimiter)}\r\n`);
    records.forEach(([first, second, third, newline, blank], index) => {
      writer.add(blank);
      const texts = [first, second, third];
      const row: unknown = Object.fromEntries(texts.map(([text], at) => [names[at], text]));
      const isLast = index === records.length - 1;
      writer.row(
        row,
        texts.map(([text, isQuoted]) => field(text, isQuoted)).join(delimiter),
        isLast && !hasLastNewline ? '' : newline,
      );
    });
    return writer.end((options) => csvSource({ ...options, delimiter }));
  });

const reading = fc.record({
  chunkBytes: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant(2 ** 20)),
  limits: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 }),
});

describe.each([
  { name: 'ndjson', samples: ndjson },
  { name: 'json array', samples: jsonArray },
  { name: 'csv', samples: csv },
])(`$name (EOS_TEST_SEED=${seed})`, ({ samples }) => {
  test.each([{ compression: 'none' }, { compression: 'gzip' }] as const)(
    'gives every row with its offset, however it is cut ($compression)',
    async ({ compression }) => {
      await withFolder(async (folder) => {
        const path = join(folder, 'data');
        const property = fc.asyncProperty(
          samples,
          reading,
          async ({ text, rows, starts, ends, source }, { chunkBytes, limits }) => {
            const packed = compression === 'gzip' ? gzipInTwo(text) : undefined;
            await writeFile(path, packed ?? text);
            const batches = await readBatches(source({ path, chunkBytes, compression }), { limits });
            expect(batches.flatMap((batch) => batch.rows)).toEqual(rows);
            expect(batches.flatMap((batch) => [...batch.offsets])).toEqual(starts.map(BigInt));
            let count = 0;
            for (const { rows: some, next, bytes, partition, source: identity } of batches) {
              const from = count === 0 ? 0 : (ends[count - 1] ?? NaN);
              count += some.length;
              const end = ends[count - 1] ?? NaN;
              expect({ next, partition }).toEqual({ next: BigInt(end), partition: 'data' });
              // What a batch took may begin behind what is no row.
              expect(bytes).toBeGreaterThanOrEqual(end - (starts[count - some.length] ?? NaN));
              expect(bytes).toBeLessThanOrEqual(end - from);
              expect(identity).toMatchObject(identityAt(text, end, packed));
            }
          },
        );
        await fc.assert(property, { seed, numRuns: 150 });
      });
    },
    60_000,
  );

  test.each([{ compression: 'none' }, { compression: 'gzip' }] as const)(
    'goes on from every offset with exactly the rest ($compression)',
    async ({ compression }) => {
      await withFolder(async (folder) => {
        const path = join(folder, 'data');
        const property = fc.asyncProperty(
          samples,
          reading,
          async ({ text, rows, starts, ends, source }, { chunkBytes, limits }) => {
            const packed = compression === 'gzip' ? gzipInTwo(text) : undefined;
            await writeFile(path, packed ?? text);
            const places = starts.flatMap((start, index) => [
              { offset: start, index },
              { offset: ends[index] ?? NaN, index: index + 1 },
            ]);
            for (const { offset, index } of places.filter((place) => place.offset > 0)) {
              const positions = new Map([
                ['data', position(BigInt(offset), identityAt(text, offset, packed))],
              ]);
              const batches = await readBatches(source({ path, chunkBytes, compression }), {
                limits,
                positions,
              });
              expect(batches.flatMap((batch) => batch.rows)).toEqual(rows.slice(index));
              expect(batches.flatMap((batch) => [...batch.offsets])).toEqual(starts.slice(index).map(BigInt));
              const last = batches.at(-1);
              if (last !== undefined)
                expect(last.source).toMatchObject(identityAt(text, Number(last.next), packed));
            }
          },
        );
        await fc.assert(property, { seed, numRuns: 50 });
      });
    },
    60_000,
  );
});
