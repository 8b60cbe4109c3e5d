/** The headers of a record, as they lie in the log: the count, then name and value of each. */
import { Reader } from './wire/reader.js';
import { Writer } from './wire/writer.js';

export type Header = readonly [name: string, value: Uint8Array | null];

/** All headers of one record: one value of a headers column. */
export function encodeHeaders(headers: readonly Header[]): Buffer {
  const writer = new Writer(64).varint(headers.length);
  for (const [name, value] of headers) {
    const bytes = Buffer.from(name);
    writer.varint(bytes.length).bytes(bytes);
    if (value === null) writer.varint(-1);
    else writer.varint(value.length).bytes(value);
  }
  return writer.written;
}

/** @throws RangeError where the bytes are no headers */
export function decodeHeaders(bytes: Buffer): Header[] {
  const reader = new Reader(bytes);
  const count = reader.varint();
  if (count < 0 || count > bytes.length) throw new RangeError(`${count} headers in ${bytes.length} bytes`);
  return Array.from({ length: count }, (): Header => {
    const name = reader.view(reader.varint()).toString('utf8');
    const length = reader.varint();
    return [name, length < 0 ? null : reader.view(length)];
  });
}
