/** The footer of a file, with statistics as they are stored. */
import { messageOf } from '@eos/core';
import { parquetMetadata, type FileMetaData, type ParquetParsers } from 'hyparquet';
import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js';
import { malformed, readRange, type ByteSource } from './byte-source.js';

/** Most footers are read by the first request. */
const FIRST_READ = 64 * 1024;
/** Length of the footer, and the magic bytes. */
const END = 8;
const MAGIC = 'PAR1';

/** Bounds stay as they are stored. */
const AS_STORED: ParquetParsers = {
  timestampFromMilliseconds: (value: bigint) => value,
  timestampFromMicroseconds: (value: bigint) => value,
  timestampFromNanoseconds: (value: bigint) => value,
  dateFromDays: (value: number) => value,
  stringFromBytes: (value: Uint8Array) => value,
  jsonFromBytes: (value: Uint8Array) => value,
  geometryFromBytes: (value: Uint8Array) => value,
  geographyFromBytes: (value: Uint8Array) => value,
  uuidFromBytes: (value: Uint8Array) => value,
};

export interface Footer {
  readonly metadata: FileMetaData;
  /** The bounds of a decimal as bytes, which hyparquet rounds. */
  readonly decimalBounds: (
    rowGroup: number,
    chunk: number,
  ) => { readonly min?: Uint8Array; readonly max?: Uint8Array };
}

/** @throws EOS_SOURCE_FORMAT */
export async function readFooter(source: ByteSource): Promise<Footer> {
  if (!(source.size >= MAGIC.length + END)) throw malformed(`it has ${source.size} bytes`);
  const start = Math.max(0, source.size - FIRST_READ);
  let bytes = Buffer.from(await readRange(source, { start, end: source.size }));
  if (bytes.subarray(-MAGIC.length).toString('latin1') !== MAGIC)
    throw malformed('it does not end with PAR1');
  const length = bytes.readUInt32LE(bytes.length - END);
  if (length + END > source.size)
    throw malformed(`its footer is ${length} bytes long, and the file ${source.size}`);
  if (length + END > bytes.length) {
    const rest = await readRange(source, { start: source.size - length - END, end: start });
    bytes = Buffer.concat([rest, bytes]);
  }
  const footer = bytes.subarray(bytes.length - length - END);
  try {
    const metadata = parquetMetadata(footer, { parsers: AS_STORED, geoparquet: false });
    return { metadata, decimalBounds: lazyDecimalBounds(footer) };
  } catch (error) {
    throw malformed(`its footer: ${messageOf(error)}`, error);
  }
}

function lazyDecimalBounds(footer: Buffer): Footer['decimalBounds'] {
  let parsed: unknown;
  return (rowGroup, chunk) => {
    parsed ??= deserializeTCompactProtocol({
      view: new DataView(footer.buffer, footer.byteOffset, footer.byteLength),
      offset: 0,
    });
    // FileMetaData.row_groups[].columns[].meta_data.statistics, by the numbers of the Thrift fields.
    const groups = member(parsed, 'field_4');
    const statistics = [rowGroup, 'field_1', chunk, 'field_3', 'field_12'].reduce(member, groups);
    const [min, max] = [member(statistics, 'field_6'), member(statistics, 'field_5')];
    return {
      ...(min instanceof Uint8Array ? { min } : {}),
      ...(max instanceof Uint8Array ? { max } : {}),
    };
  };
}

function member(value: unknown, name: string | number): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
