/** One data page, of either version, taken apart: levels, and values as they are stored. */
import { crc32 } from 'node:zlib';
import type { ColumnMetaData, Compressors, Encoding, PageHeader } from 'hyparquet';
import { decompressPage } from 'hyparquet/src/datapage.js';
import { deltaBinaryUnpack, deltaByteArray, deltaLengthByteArray } from 'hyparquet/src/delta.js';
import { byteStreamSplit } from 'hyparquet/src/encoding.js';
import { readPlain } from 'hyparquet/src/plain.js';
import { bitWidth } from '../columns/byte-arrays.js';
import { malformed } from './byte-source.js';
import type { FileLeaf } from './file-tree.js';
import { readRuns } from './runs.js';

export interface DataPage {
  /** Values and nulls. */
  readonly count: number;
  /** Absent: the leaf has no such levels. */
  readonly definitions?: Int32Array;
  readonly repetitions?: Int32Array;
  /** Those that are there; of a dictionary, indices. */
  readonly values: ArrayLike<unknown>;
  readonly isIndices: boolean;
}

/** @throws EOS_SOURCE_FORMAT where the page has a checksum, and another one */
export function checkPage(body: Uint8Array, { crc }: PageHeader): void {
  if (crc !== undefined && crc32(body) !== crc >>> 0)
    throw malformed('a page does not have the checksum that it should');
}

/** The parts of a page: of version 1 they are compressed together, of version 2 only the values are. */
interface Parts {
  readonly count: number;
  readonly encoding: Encoding;
  readonly definitions?: Int32Array;
  readonly repetitions?: Int32Array;
  readonly values: Uint8Array;
}

/** `most`: how many entries are left in the column. */
export function readDataPage(
  body: Uint8Array,
  header: PageHeader,
  chunk: ColumnMetaData,
  leaf: FileLeaf,
  compressors: Compressors,
  most: number,
): DataPage {
  const count = header.data_page_header?.num_values ?? header.data_page_header_v2?.num_values ?? 0;
  if (!(count >= 0 && count <= most))
    throw malformed(`a page of ${count} values in a column that has ${most} left`);
  const { values, encoding, ...levels } =
    header.data_page_header === undefined
      ? partsOfVersion2(body, header, chunk, leaf, compressors)
      : partsOfVersion1(body, header, chunk, leaf, compressors);
  const present = presentIn(levels.definitions, leaf.maxDefinition, count);
  const isIndices = encoding === 'RLE_DICTIONARY' || encoding === 'PLAIN_DICTIONARY';
  return { ...levels, values: readValues(values, encoding, present, chunk, leaf), isIndices };
}

function presentIn(definitions: Int32Array | undefined, maxDefinition: number, count: number): number {
  if (definitions === undefined) return count;
  let present = 0;
  for (let at = 0; at < count; at++) if (definitions[at] === maxDefinition) present += 1;
  return present;
}

function partsOfVersion1(
  body: Uint8Array,
  header: PageHeader,
  { codec }: ColumnMetaData,
  { maxDefinition, maxRepetition }: FileLeaf,
  compressors: Compressors,
): Parts {
  const { num_values: count = 0, encoding = 'PLAIN' } = header.data_page_header ?? {};
  const page = decompressPage(body, header.uncompressed_page_size, codec, compressors);
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  let at = 0;
  const levels = (most: number) => {
    const length = view.getUint32(at, true);
    const start = at + 4;
    at = start + length;
    if (at > page.length) throw malformed('levels are cut off');
    return readRuns(page.subarray(0, at), start, bitWidth(most), count);
  };
  const repetitions = maxRepetition > 0 ? levels(maxRepetition) : undefined;
  const definitions = maxDefinition > 0 ? levels(maxDefinition) : undefined;
  return {
    count,
    encoding,
    values: page.subarray(at),
    ...(definitions === undefined ? {} : { definitions }),
    ...(repetitions === undefined ? {} : { repetitions }),
  };
}

function partsOfVersion2(
  body: Uint8Array,
  header: PageHeader,
  { codec }: ColumnMetaData,
  { maxDefinition, maxRepetition }: FileLeaf,
  compressors: Compressors,
): Parts {
  const v2 = header.data_page_header_v2;
  if (v2 === undefined) throw malformed('a page of an unknown kind');
  const {
    num_values: count,
    repetition_levels_byte_length: first,
    definition_levels_byte_length: second,
  } = v2;
  if (!(first >= 0 && second >= 0 && first + second <= body.length)) throw malformed('levels are cut off');
  const stored = body.subarray(first + second);
  const size = header.uncompressed_page_size - first - second;
  const isPlain = v2.is_compressed === false || size === 0;
  return {
    count,
    encoding: v2.encoding,
    values: isPlain ? stored : decompressPage(stored, size, codec, compressors),
    ...(maxRepetition > 0
      ? { repetitions: readRuns(body.subarray(0, first), 0, bitWidth(maxRepetition), count) }
      : {}),
    ...(maxDefinition > 0
      ? { definitions: readRuns(body.subarray(0, first + second), first, bitWidth(maxDefinition), count) }
      : {}),
  };
}

function readValues(
  bytes: Uint8Array,
  encoding: Encoding,
  count: number,
  { type }: ColumnMetaData,
  { element }: FileLeaf,
): ArrayLike<unknown> {
  if (count === 0) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const reader = { view, offset: 0 };
  switch (encoding) {
    case 'PLAIN':
      return readPlain(reader, type, count, element.type_length);
    case 'RLE_DICTIONARY':
    case 'PLAIN_DICTIONARY':
      return readRuns(bytes, 1, Math.min(32, view.getUint8(0)), count);
    case 'RLE':
      // Of booleans, behind their length.
      return Array.from(readRuns(bytes, 4, 1, count), (bit) => bit === 1);
    case 'DELTA_BINARY_PACKED': {
      const values = type === 'INT32' ? new Int32Array(count) : new BigInt64Array(count);
      deltaBinaryUnpack(reader, count, values);
      return values;
    }
    case 'DELTA_LENGTH_BYTE_ARRAY': {
      const values = new Array<Uint8Array>(count);
      deltaLengthByteArray(reader, count, values);
      return values;
    }
    case 'DELTA_BYTE_ARRAY': {
      const values = new Array<Uint8Array>(count);
      deltaByteArray(reader, count, values);
      return values;
    }
    case 'BYTE_STREAM_SPLIT':
      return byteStreamSplit(reader, count, type, element.type_length);
    default:
      throw malformed(`the encoding ${encoding}`);
  }
}
