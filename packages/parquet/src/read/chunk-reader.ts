/** A column chunk: its pages, decoded. */
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { isEosError, messageOf } from '@eos/core';
import type { ColumnMetaData, Compressors } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { decompressPage } from 'hyparquet/src/datapage.js';
import { readPlain } from 'hyparquet/src/plain.js';
import { compressors } from 'hyparquet-compressors';
import { shownPath } from '../schema/elements.js';
import { malformed } from './byte-source.js';
import type { FileLeaf } from './file-tree.js';
import { checkPage, readDataPage, type DataPage } from './page.js';

/** The entries of a leaf in one row group. */
export interface LeafEntries {
  /** Those that are there, in order. */
  readonly values: ArrayLike<unknown>;
  /** For each entry; absent: all are there. */
  readonly definitions?: ArrayLike<number>;
  /** For each entry; absent: each is a row of its own. */
  readonly repetitions?: ArrayLike<number>;
}

const DECOMPRESSORS: Compressors = {
  ...compressors,
  GZIP: (bytes) => gunzipSync(bytes),
  BROTLI: (bytes) => brotliDecompressSync(bytes),
};

/** @throws EOS_SOURCE_FORMAT naming the column */
export function readChunk(bytes: Uint8Array, chunk: ColumnMetaData, leaf: FileLeaf): LeafEntries {
  try {
    return readPages(bytes, chunk, leaf);
  } catch (error) {
    if (isEosError(error)) throw error;
    throw malformed(`column ${shownPath(leaf.path)}: ${messageOf(error)}`, error);
  }
}

/** Values are made here, so that none is rounded, and those of a dictionary but once. */
function readPages(bytes: Uint8Array, chunk: ColumnMetaData, leaf: FileLeaf): LeafEntries {
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
  const entries = new EntryCollector(Number(chunk.num_values), leaf);
  let dictionary: ArrayLike<unknown> | undefined;
  while (reader.offset < bytes.length && entries.missing > 0) {
    const header = parquetHeader(reader);
    const size = header.compressed_page_size;
    const body = bytes.subarray(reader.offset, reader.offset + size);
    if (!(size >= 0) || body.length < size) throw malformed('a page is cut off');
    reader.offset += size;
    checkPage(body, header);
    if (header.dictionary_page_header !== undefined) {
      const page = decompressPage(body, header.uncompressed_page_size, chunk.codec, DECOMPRESSORS);
      const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
      const { num_values: count } = header.dictionary_page_header;
      // Every entry takes a bit at least.
      if (!(count >= 0 && count <= 8 * page.length)) throw malformed(`a dictionary of ${count} entries`);
      dictionary = decoded(readPlain({ view, offset: 0 }, chunk.type, count, leaf.element.type_length), leaf);
    } else if (header.data_page_header !== undefined || header.data_page_header_v2 !== undefined) {
      const page = readDataPage(body, header, chunk, leaf, DECOMPRESSORS, entries.missing);
      const values = page.isIndices ? lookedUp(page.values, dictionary, leaf) : decoded(page.values, leaf);
      entries.add(page, values);
    }
  }
  if (entries.missing > 0) throw malformed('pages are missing');
  return entries.entries();
}

function decoded(stored: ArrayLike<unknown>, { decoder: { decode } }: FileLeaf): ArrayLike<unknown> {
  if (decode === undefined) return stored;
  const values = new Array<unknown>(stored.length);
  for (let at = 0; at < stored.length; at++) values[at] = decode(stored[at]);
  return values;
}

function lookedUp(
  indices: ArrayLike<unknown>,
  dictionary: ArrayLike<unknown> | undefined,
  leaf: FileLeaf,
): ArrayLike<unknown> {
  if (indices.length === 0) return [];
  if (dictionary === undefined) throw malformed(`column ${shownPath(leaf.path)}: its dictionary is missing`);
  const values = new Array<unknown>(indices.length);
  for (let at = 0; at < indices.length; at++) {
    const index = Number(indices[at]);
    if (!(index >= 0 && index < dictionary.length))
      throw malformed(`column ${shownPath(leaf.path)}: index ${index} is not in its dictionary`);
    values[at] = dictionary[index];
  }
  return values;
}

/** Puts pages behind one another. */
class EntryCollector {
  private readonly pages: ArrayLike<unknown>[] = [];
  private readonly definitions: Int32Array[] = [];
  private readonly repetitions: Int32Array[] = [];

  constructor(
    public missing: number,
    private readonly leaf: FileLeaf,
  ) {}

  add(page: DataPage, values: ArrayLike<unknown>): void {
    this.missing -= page.count;
    this.pages.push(values);
    if (page.definitions !== undefined) this.definitions.push(page.definitions);
    if (page.repetitions !== undefined) this.repetitions.push(page.repetitions);
  }

  entries(): LeafEntries {
    return {
      values: joined(this.pages),
      ...(this.leaf.maxDefinition > 0 ? { definitions: joined(this.definitions) } : {}),
      ...(this.leaf.maxRepetition > 0 ? { repetitions: joined(this.repetitions) } : {}),
    };
  }
}

function joined<T>(pages: readonly ArrayLike<T>[]): ArrayLike<T> {
  const [only] = pages;
  if (only !== undefined && pages.length === 1) return only;
  const typed = joinedNumbers(pages);
  // Of the same class as each of the pages.
  if (typed !== undefined) return typed as ArrayLike<unknown> as ArrayLike<T>;
  const all: T[] = [];
  for (const page of pages) {
    for (let at = 0; at < page.length; at++) {
      const value = page[at];
      if (value !== undefined) all.push(value);
    }
  }
  return all;
}

type Numbers = BigInt64Array | Float64Array | Int32Array;

const NUMBERS = [BigInt64Array, Float64Array, Int32Array] as const;

/** Numbers stay in one array of numbers: of 64-bit integers each would else become an object. */
function joinedNumbers(pages: readonly ArrayLike<unknown>[]): Numbers | undefined {
  const type = NUMBERS.find((each) => pages.length > 0 && pages.every((page) => page instanceof each));
  if (type === undefined) return undefined;
  const all = new type(pages.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const page of pages) {
    // Both are of this class.
    (all as Int32Array).set(page as Int32Array, end);
    end += page.length;
  }
  return all;
}
