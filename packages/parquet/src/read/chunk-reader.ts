/** A column chunk: its pages, decoded. */
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { isEosError, messageOf } from '@eos/core';
import type { ColumnMetaData, Compressors } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import { decompressPage, readDataPage, readDataPageV2 } from 'hyparquet/src/datapage.js';
import { readPlain } from 'hyparquet/src/plain.js';
import { compressors } from 'hyparquet-compressors';
import { shownPath } from '../schema/elements.js';
import { malformed } from './byte-source.js';
import type { FileLeaf } from './file-tree.js';

/** The entries of a leaf in one row group. */
export interface LeafEntries {
  /** Those that are there, in order. */
  readonly values: ArrayLike<unknown>;
  /** For each entry; absent: all are there. */
  readonly definitions?: readonly number[];
  /** For each entry; absent: each is a row of its own. */
  readonly repetitions?: readonly number[];
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

/** hyparquet takes pages apart; values are made here, so that none is rounded, and those of a dictionary but once. */
function readPages(bytes: Uint8Array, chunk: ColumnMetaData, leaf: FileLeaf): LeafEntries {
  const { element, maxDefinition, schemaPath } = leaf;
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
  const decoder = {
    pathInSchema: [...leaf.path],
    type: chunk.type,
    element,
    schemaPath,
    codec: chunk.codec,
    parsers: DEFAULT_PARSERS,
    compressors: DECOMPRESSORS,
  };
  const entries = new EntryCollector(Number(chunk.num_values), maxDefinition > 0, leaf.isRepeated);
  let dictionary: ArrayLike<unknown> | undefined;
  while (reader.offset < bytes.length && !entries.isComplete) {
    const header = parquetHeader(reader);
    const size = header.compressed_page_size;
    const body = bytes.subarray(reader.offset, reader.offset + size);
    if (!(size >= 0) || body.length < size)
      throw malformed(`column ${shownPath(leaf.path)}: a page is cut off`);
    reader.offset += size;
    const { data_page_header: v1, data_page_header_v2: v2, dictionary_page_header: head } = header;
    if (head !== undefined) {
      const page = decompressPage(body, header.uncompressed_page_size, chunk.codec, DECOMPRESSORS);
      const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
      const plain = readPlain({ view, offset: 0 }, chunk.type, head.num_values, element.type_length);
      dictionary = decoded(plain, leaf);
      continue;
    }
    const encoding = v1?.encoding ?? v2?.encoding;
    if (encoding === undefined) continue; // An index page.
    const { definitionLevels, repetitionLevels, dataPage } =
      v1 === undefined
        ? readDataPageV2(body, header, decoder)
        : readDataPage(
            decompressPage(body, header.uncompressed_page_size, chunk.codec, DECOMPRESSORS),
            v1,
            decoder,
          );
    const isIndices = encoding === 'RLE_DICTIONARY' || encoding === 'PLAIN_DICTIONARY';
    entries.add(
      v1?.num_values ?? v2?.num_values ?? 0,
      isIndices ? lookedUp(dataPage, dictionary, leaf) : decoded(dataPage, leaf),
      definitionLevels ?? [],
      repetitionLevels,
      maxDefinition,
    );
  }
  if (!entries.isComplete) throw malformed(`column ${shownPath(leaf.path)}: pages are missing`);
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
    if (index >= dictionary.length)
      throw malformed(`column ${shownPath(leaf.path)}: index ${index} is not in its dictionary`);
    values[at] = dictionary[index];
  }
  return values;
}

/** Puts pages behind one another. */
class EntryCollector {
  private readonly values: unknown[] = [];
  private readonly pages: ArrayLike<unknown>[] = [];
  private readonly definitions: number[] = [];
  private readonly repetitions: number[] = [];
  private count = 0;

  constructor(
    private readonly expected: number,
    private readonly hasDefinitions: boolean,
    private readonly hasRepetitions: boolean,
  ) {}

  get isComplete(): boolean {
    return this.count >= this.expected;
  }

  /** Without definition levels, every entry is there. */
  add(
    count: number,
    values: ArrayLike<unknown>,
    definitions: readonly number[],
    repetitions: readonly number[],
    maxDefinition: number,
  ): void {
    this.count += count;
    this.pages.push(values);
    if (this.hasDefinitions) {
      for (let at = 0; at < count; at++) this.definitions.push(definitions[at] ?? maxDefinition);
    }
    if (this.hasRepetitions) for (let at = 0; at < count; at++) this.repetitions.push(repetitions[at] ?? 0);
  }

  entries(): LeafEntries {
    return {
      values: this.allValues(),
      ...(this.hasDefinitions ? { definitions: this.definitions } : {}),
      ...(this.hasRepetitions ? { repetitions: this.repetitions } : {}),
    };
  }

  private allValues(): ArrayLike<unknown> {
    const [only] = this.pages;
    if (only === undefined || this.pages.length === 1) return only ?? [];
    for (const page of this.pages) for (let at = 0; at < page.length; at++) this.values.push(page[at]);
    return this.values;
  }
}
