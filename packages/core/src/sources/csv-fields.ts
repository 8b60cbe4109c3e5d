/** The fields of one CSV record. */
import { formatError, type Place } from './records.js';
import type { TextWindow } from './text-window.js';

const NEWLINE = 10;
const RETURN = 13;

/** Takes records apart; what it found last stands in `values`, until the next one. */
export class CsvFields {
  values: string[] = [];
  /** Which of the values were quoted; empty where none was. */
  readonly quoted: boolean[] = [];
  /** True where the record is a line without a character. */
  isBlank = false;
  readonly #delimiterByte: number;
  readonly #quoteByte: number;
  #window: Buffer = Buffer.alloc(0);
  #isEnd = false;
  #growing = false;

  constructor(
    readonly delimiter: string,
    readonly quote: string,
    readonly place: Place,
  ) {
    this.#delimiterByte = delimiter.charCodeAt(0);
    this.#quoteByte = quote === '' ? -1 : quote.charCodeAt(0);
  }

  /** Looks at the text as far as it was read. */
  open(text: TextWindow, growing: boolean): void {
    this.#window = text.buffer.subarray(0, text.end);
    this.#isEnd = text.isEnd;
    this.#growing = growing;
  }

  /**
   * Reads the record at `start` and returns the index behind it; undefined where it is not there whole.
   * @throws EOS_SOURCE_FORMAT
   */
  read(start: number): number | undefined {
    const window = this.#window;
    if (this.quoted.length > 0) this.quoted.length = 0;
    const newline = window.indexOf(NEWLINE, start);
    const isLast = newline === -1;
    if (isLast && (!this.#isEnd || start >= window.length)) return undefined;
    const lineEnd = isLast ? window.length : newline;
    const end = lineEnd > start && window[lineEnd - 1] === RETURN ? lineEnd - 1 : lineEnd;
    const line = window.toString('utf8', start, end);
    if (this.quote !== '' && line.includes(this.quote)) return this.#readQuoted(start);
    if (line.includes('\r')) throw this.#bareReturn();
    if (isLast && this.#growing) return undefined;
    this.isBlank = end === start;
    this.values = line.split(this.delimiter);
    return isLast ? lineEnd : lineEnd + 1;
  }

  #readQuoted(start: number): number | undefined {
    const window = this.#window;
    this.values = [];
    this.isBlank = false;
    let at = start;
    for (;;) {
      const isQuoted = window[at] === this.#quoteByte;
      const end = isQuoted ? this.#quotedEnd(at + 1) : this.#unquotedEnd(at);
      if (end === undefined) return undefined;
      this.quoted[this.values.length] = isQuoted;
      this.values.push(isQuoted ? this.#unquote(at + 1, end) : window.toString('utf8', at, end));
      at = isQuoted ? end + 1 : end;
      if (window[at] === this.#delimiterByte) at++;
      else return this.#recordEnd(at);
    }
  }

  /** The index of the quote that closes a field. */
  #quotedEnd(from: number): number | undefined {
    const window = this.#window;
    for (let at = from; ; at += 2) {
      at = window.indexOf(this.#quoteByte, at);
      if (at === -1) {
        if (this.#isEnd && !this.#growing) throw formatError(this.place, 'a quoted field is not closed');
        return undefined;
      }
      if (at + 1 === window.length && !this.#isEnd) return undefined;
      if (window[at + 1] !== this.#quoteByte) return at;
    }
  }

  #unquotedEnd(from: number): number | undefined {
    const window = this.#window;
    let at = from;
    while (at < window.length && window[at] !== this.#delimiterByte && window[at] !== NEWLINE) {
      if (window[at] === this.#quoteByte)
        throw formatError(this.place, 'a quote within a field that is not quoted');
      if (window[at] === RETURN && at + 1 < window.length && window[at + 1] !== NEWLINE)
        throw this.#bareReturn();
      at++;
    }
    if (at === window.length && !this.#isEnd) return undefined;
    return at > from && window[at - 1] === RETURN && window[at] !== this.#delimiterByte ? at - 1 : at;
  }

  #unquote(start: number, end: number): string {
    const text = this.#window.toString('utf8', start, end);
    return text.includes(this.quote) ? text.replaceAll(this.quote + this.quote, this.quote) : text;
  }

  /** What follows the last field must be a line end or the text's. */
  #recordEnd(at: number): number | undefined {
    const window = this.#window;
    const end = window[at] === RETURN ? at + 1 : at;
    if (end >= window.length) return this.#isEnd && !this.#growing ? window.length : undefined;
    if (window[end] === NEWLINE) return end + 1;
    if (end > at) throw this.#bareReturn();
    throw formatError(this.place, 'text behind the quote that closes a field');
  }

  /** As a line end it would make one record of a whole file, which as the header would leave no rows. */
  #bareReturn(): Error {
    const problem = 'a bare carriage return in a field that is not quoted: lines end with LF or CRLF';
    return formatError(this.place, problem);
  }
}
