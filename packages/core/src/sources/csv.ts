/** CSV by RFC 4180: quoted fields may hold delimiters, newlines and doubled quotes; a line ends with CRLF or LF. */
import { EosError } from '../errors.js';
import { CsvFields } from './csv-fields.js';
import type { CsvRows } from './csv-rows.js';
import { formatError, type Place, type RecordFormat, type RecordParser, type Records } from './records.js';
import { skipByteOrderMark, skipLineEnd } from './text-edges.js';
import type { TextWindow } from './text-window.js';

export interface CsvOptions {
  /** One ASCII character. Default `,`. */
  readonly delimiter?: string;
  /** One ASCII character, or `''`: then nothing is quoted and a quote is a character as any other. Default `"`. */
  readonly quote?: string;
  /** Whether the first record names the columns. Default: only where `columns` is not given. */
  readonly header?: boolean;
  /** Names of the columns, in the order of the fields; a header is then skipped unread. */
  readonly columns?: readonly string[];
}

interface CsvSettings {
  readonly delimiter: string;
  readonly quote: string;
  readonly hasHeader: boolean;
  readonly columns: readonly string[] | undefined;
  readonly growing: boolean;
}

/** @throws EOS_CONFIG */
export function csvFormat<Row>(
  rows: (names: readonly string[], place: Place) => CsvRows<Row>,
  hasOps: boolean,
  options: CsvOptions & { readonly growing: boolean },
): RecordFormat<Row> {
  const { delimiter = ',', quote = '"', columns, growing } = options;
  const hasHeader = options.header ?? columns === undefined;
  if (!isCharacter(delimiter))
    throw new EosError('EOS_CONFIG', 'delimiter must be one ASCII character, and no line end');
  if (quote !== '' && (!isCharacter(quote) || quote === delimiter)) {
    throw new EosError(
      'EOS_CONFIG',
      'quote must be one ASCII character, neither the delimiter nor a line end, or empty',
    );
  }
  if (!hasHeader && columns === undefined)
    throw new EosError('EOS_CONFIG', 'CSV without a header needs columns');
  const settings = { delimiter, quote, hasHeader, columns, growing };
  return { name: 'csv', hasOps, parser: (place) => new CsvParser(rows, settings, place) };
}

function isCharacter(text: string): boolean {
  return text.length === 1 && text !== '\n' && text !== '\r' && text.charCodeAt(0) < 128;
}

class CsvParser<Row> implements RecordParser<Row> {
  readonly #fields: CsvFields;
  #rows: CsvRows<Row> | undefined;
  #isTorn = false;
  #isStarted = false;

  constructor(
    readonly makeRows: (names: readonly string[], place: Place) => CsvRows<Row>,
    readonly settings: CsvSettings,
    readonly place: Place,
  ) {
    this.#fields = new CsvFields(settings.delimiter, settings.quote, place);
  }

  resume(before: number | undefined): void {
    this.#isTorn = before !== undefined && before !== 10;
    this.#isStarted = true;
  }

  learn(text: TextWindow): boolean {
    const { columns, hasHeader } = this.settings;
    if (columns !== undefined || !hasHeader) {
      this.#rows ??= this.makeRows(columns ?? [], this.place);
      return true;
    }
    return this.#header(text) !== undefined || text.isEnd;
  }

  parse(text: TextWindow, limit: number, records: Records<Row>): void {
    const start = this.#firstRecord(text);
    if (start === undefined) return;
    records.next = start;
    const rows = this.#rows;
    if (rows === undefined) return;
    const fields = this.#fields;
    let at = start;
    fields.open(text, this.settings.growing);
    while (records.count < limit) {
      this.place.offset = text.offsetOf(at);
      const next = fields.read(at);
      if (next === undefined) return;
      if (fields.isBlank && rows.width > 1) {
        if (records.count === 0) records.next = next;
      } else {
        this.#checkWidth(rows.width);
        const op = rows.op(fields.values, this.place);
        records.add(rows.row(fields, op, this.place), op, at, next);
      }
      at = next;
    }
  }

  /** The index where records start, behind a header; undefined as long as there is not text enough. */
  #firstRecord(text: TextWindow): number | undefined {
    let { start } = text;
    if (this.#isTorn) {
      const line = skipLineEnd(text, this.place);
      if (line === undefined) return undefined;
      this.#isTorn = false;
      return line;
    }
    if (this.#isStarted) return start;
    if (!text.isEnd && text.end - start < 3) return undefined;
    const { hasHeader, columns } = this.settings;
    start = skipByteOrderMark(text, text.buffer.subarray(0, text.end));
    const behind = hasHeader ? this.#header(text) : start;
    if (behind === undefined) return undefined;
    if (columns !== undefined) this.#rows ??= this.makeRows(columns, this.place);
    this.#isStarted = true;
    return behind;
  }

  /** Reads the header at the start of the text and returns the index behind it. */
  #header(text: TextWindow): number | undefined {
    const start = skipByteOrderMark(text, text.buffer.subarray(0, text.end));
    this.place.offset = text.offsetOf(start);
    this.#fields.open(text, this.settings.growing);
    const next = this.#fields.read(start);
    if (next === undefined) return undefined;
    if (this.settings.columns === undefined)
      this.#rows ??= this.makeRows([...this.#fields.values], this.place);
    return next;
  }

  #checkWidth(width: number): void {
    const found = this.#fields.values.length;
    if (found === width) return;
    throw formatError(this.place, `${found} fields where there are ${width} columns`, {
      expected: width,
      found,
    });
  }
}
