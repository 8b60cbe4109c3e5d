/** A column of a row group as the pages of a file. Data pages are of version 1, which every reader knows. */
import { crc32 } from 'node:zlib';
import { ByteWriter } from 'hyparquet-writer';
import { writePageHeader } from 'hyparquet-writer/src/datapage.js';
import type { Encoding } from 'hyparquet';
import { bitWidth } from '../columns/byte-arrays.js';
import type { LeafData } from '../columns/leaf-column.js';
import type { ColumnValues } from '../columns/value-adders.js';
import { runsAndBits } from './levels.js';
import { numberDictionary, type Dictionary } from './number-dictionary.js';

/** A page before compression. */
export interface Page {
  readonly body: Uint8Array;
  /** Values and nulls; of a dictionary, entries. */
  readonly count: number;
  readonly encoding: Encoding;
}

export interface Pages {
  readonly dictionary: Page | undefined;
  /** In order; none where the column has no entries. */
  readonly data: Iterable<Page>;
}

/** `pageBytes`: about how many bytes of values a data page has, before compression. */
export function pagesOf(leaf: LeafData, pageBytes: number): Pages {
  const dictionary = dictionaryOf(leaf.values);
  return {
    dictionary:
      dictionary === undefined
        ? undefined
        : { body: dictionary.bytes, count: dictionary.entries, encoding: 'PLAIN' },
    data: dataPages(leaf, dictionary, pageBytes),
  };
}

function dictionaryOf(values: ColumnValues): Dictionary | undefined {
  if (values.physical !== 'BYTE_ARRAY') return numberDictionary(values);
  values.review();
  if (!values.hasDictionary) return undefined;
  const { bytes, byteLength, entries, indices } = values;
  return { bytes: bytes.subarray(0, byteLength), entries, indices };
}

function* dataPages(leaf: LeafData, dictionary: Dictionary | undefined, pageBytes: number): Iterable<Page> {
  const valueBytes = valueEncoder(leaf.values, dictionary);
  const encoding = dictionary === undefined ? 'PLAIN' : 'RLE_DICTIONARY';
  for (const { start, end, firstValue, lastValue } of pageRanges(leaf, dictionary, pageBytes)) {
    const parts = [...levels(leaf, start, end), ...valueBytes(firstValue, lastValue)];
    const [only] = parts;
    const body = parts.length === 1 && only !== undefined ? only : Buffer.concat(parts);
    yield { body, count: end - start, encoding };
  }
}

interface PageRange {
  readonly start: number;
  readonly end: number;
  readonly firstValue: number;
  readonly lastValue: number;
}

/** Pages end where rows end. */
function* pageRanges(
  leaf: LeafData,
  dictionary: Dictionary | undefined,
  pageBytes: number,
): Iterable<PageRange> {
  const {
    entries,
    values,
    definitions,
    repetitions,
    leaf: { maxDefinition },
  } = leaf;
  const isNested = repetitions.length > 0;
  const hasNulls = definitions.length > 0;
  const sizeOf = sizer(values, dictionary);
  let [start, firstValue, value, bytes] = [0, 0, 0, 0];
  for (let at = 0; at < entries; at++) {
    if (bytes >= pageBytes && (!isNested || repetitions[at] === 0)) {
      yield { start, end: at, firstValue, lastValue: value };
      [start, firstValue, bytes] = [at, value, 0];
    }
    if (!hasNulls || definitions[at] === maxDefinition) bytes += sizeOf(value++);
  }
  if (start < entries) yield { start, end: entries, firstValue, lastValue: value };
}

function sizer(values: ColumnValues, dictionary: Dictionary | undefined): (value: number) => number {
  if (dictionary !== undefined) {
    const bytes = bitWidth(dictionary.entries - 1) / 8;
    return () => bytes;
  }
  if (values.physical === 'BYTE_ARRAY') {
    const { ends } = values;
    return (value) => (ends[value] ?? 0) - (value === 0 ? 0 : (ends[value - 1] ?? 0));
  }
  const bytes = values.physical === 'BOOLEAN' ? 1 / 8 : values.byteSize / Math.max(1, values.count);
  return () => bytes;
}

function levels({ leaf, definitions, repetitions }: LeafData, start: number, end: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  const add = (numbers: Uint8Array, most: number) => {
    const runs = runsAndBits(numbers, start, end, bitWidth(most));
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32LE(runs.length);
    parts.push(length, runs);
  };
  if (leaf.maxRepetition > 0) add(repetitions, leaf.maxRepetition);
  if (leaf.maxDefinition > 0) add(definitions, leaf.maxDefinition);
  return parts;
}

/** The encoded values from one up to another. */
function valueEncoder(
  values: ColumnValues,
  dictionary: Dictionary | undefined,
): (start: number, end: number) => readonly Uint8Array[] {
  if (dictionary !== undefined) {
    // Some readers stumble over a width of 0.
    const width = Math.max(1, bitWidth(dictionary.entries - 1));
    return (start, end) => [Uint8Array.of(width), runsAndBits(dictionary.indices, start, end, width)];
  }
  switch (values.physical) {
    case 'BOOLEAN':
      return (start, end) => [packed(values.data, start, end)];
    case 'BYTE_ARRAY': {
      const offset = (value: number) => (value === 0 ? 0 : (values.ends[value - 1] ?? 0));
      return (start, end) => [values.bytes.subarray(offset(start), offset(end))];
    }
    default: {
      const { buffer } = values.data;
      const size = values.byteSize / Math.max(1, values.count);
      return (start, end) => [new Uint8Array(buffer, start * size, (end - start) * size)];
    }
  }
}

function packed(bits: Uint8Array, start: number, end: number): Uint8Array {
  const bytes = new Uint8Array(Math.ceil((end - start) / 8));
  for (let at = start; at < end; at++) {
    const to = (at - start) >> 3;
    bytes[to] = (bytes[to] ?? 0) | ((bits[at] ?? 0) << ((at - start) & 7));
  }
  return bytes;
}

/** The header that stands before a page, with the checksum of what follows it. */
export function pageHeader(
  kind: 'DICTIONARY_PAGE' | 'DATA_PAGE',
  page: Page,
  compressed: Uint8Array,
): Uint8Array {
  const writer = new ByteWriter(64);
  writePageHeader(writer, {
    type: kind,
    uncompressed_page_size: page.body.length,
    compressed_page_size: compressed.length,
    // Signed, as the format has it.
    crc: crc32(compressed) | 0,
    ...(kind === 'DICTIONARY_PAGE'
      ? { dictionary_page_header: { num_values: page.count, encoding: page.encoding } }
      : {
          data_page_header: {
            num_values: page.count,
            encoding: page.encoding,
            definition_level_encoding: 'RLE',
            repetition_level_encoding: 'RLE',
          },
        }),
  });
  return writer.getBytes();
}
