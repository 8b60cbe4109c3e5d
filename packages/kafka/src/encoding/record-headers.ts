/** The headers of records that a sink writes. */
import { rowError, shownValue, type RowOrigin } from '@eos/core';
import { encodeHeaders, type Header } from '../client/headers.js';
import { bytesColumn, type BytesColumn } from '../client/records.js';

/** Headers by name. */
export type Headers = Readonly<Record<string, string | Uint8Array>>;

/** The headers of every record, or what makes them of its row. */
export type HeadersOption<Row> = Headers | ((row: Row) => Headers);

/**
 * Makes the column of headers.
 * @throws EOS_ROW where a function returns anything but texts and bytes
 */
export function headerColumn<Row>(
  option: HeadersOption<Row> | undefined,
): (rows: readonly Row[], origin: RowOrigin) => BytesColumn | undefined {
  if (option === undefined) return () => undefined;
  if (typeof option === 'function') {
    return (rows, origin) => bytesColumn(rows.map((row, index) => encoded(option(row), index, origin)));
  }
  const same = encodeHeaders(Object.entries(option).map(headerOf));
  return (rows) => bytesColumn(rows.map(() => same));
}

function encoded(headers: unknown, index: number, origin: RowOrigin): Buffer {
  if (typeof headers !== 'object' || headers === null) {
    throw rowError(origin, index, `headers returned ${shownValue(headers)}, which is no object`);
  }
  const entries = Object.entries(headers).map(([name, value]: [string, unknown]): Header => {
    if (typeof value === 'string' || value instanceof Uint8Array) return headerOf([name, value]);
    throw rowError(
      origin,
      index,
      `header ${JSON.stringify(name)}: ${shownValue(value)} is neither text nor bytes`,
    );
  });
  return encodeHeaders(entries);
}

function headerOf([name, value]: readonly [string, string | Uint8Array]): Header {
  return [name, typeof value === 'string' ? Buffer.from(value) : value];
}
