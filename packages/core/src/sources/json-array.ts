/** One JSON array: its elements are the records. */
import {
  excerpt,
  formatError,
  type Place,
  type RecordFormat,
  type RecordParser,
  type Records,
} from './records.js';
import type { RowReader } from './json-rows.js';
import { skipByteOrderMark } from './text-edges.js';
import type { TextWindow } from './text-window.js';

export function jsonArrayFormat<Row>(rows: RowReader<Row>): RecordFormat<Row> {
  return { name: 'json array', hasOps: rows.hasOps, parser: (place) => new JsonArrayParser(rows, place) };
}

/** What may come next. */
type Expected = '[' | 'element or ]' | 'element' | ', or ]' | 'end';

class JsonArrayParser<Row> implements RecordParser<Row> {
  #expected: Expected = '[';

  constructor(
    readonly rows: RowReader<Row>,
    readonly place: Place,
  ) {}

  /** Reading starts before an element, or behind one: an element ends with none of these bytes. */
  resume(before = OPEN): void {
    this.#expected = before === OPEN || before === COMMA || isSpace(before) ? 'element' : ', or ]';
  }

  parse(text: TextWindow, limit: number, records: Records<Row>): void {
    const { buffer, end } = text;
    if (text.isOrigin && !text.isEnd && end - text.start < BYTE_ORDER_MARK_LENGTH) return;
    let at = skipByteOrderMark(text, buffer.subarray(0, end));
    let expected = this.#expected;
    for (; at < end; at++) {
      const byte = buffer[at] ?? 0;
      if (isSpace(byte)) continue;
      const after = afterPunctuation(expected, byte);
      if (after !== undefined) {
        expected = after;
        continue;
      }
      if (!startsElement(expected)) throw this.#unexpected(text, at, expected);
      if (records.count === limit) break;
      const next = elementEnd(buffer, at, end);
      if (next === undefined) break;
      if (next === at) throw this.#unexpected(text, at, expected);
      this.#take(text, at, next, records);
      this.#expected = expected = ', or ]';
      at = next - 1;
    }
    this.#stop(text, at, expected, records);
  }

  /** Where records were taken, reading goes on behind the last one: what follows it is looked at again. */
  #stop(text: TextWindow, at: number, expected: Expected, records: Records<Row>): void {
    if (records.count > 0) return;
    if (text.isEnd && expected !== 'end') {
      this.place.offset = text.offsetOf(at);
      const problem =
        at < text.end ? 'within the element that starts here' : `where ${expected} was expected`;
      throw formatError(this.place, `the JSON array ends early, ${problem}`, { expected });
    }
    this.#expected = expected;
    records.next = at;
  }

  #take(text: TextWindow, start: number, next: number, records: Records<Row>): void {
    this.place.offset = text.offsetOf(start);
    const value = this.rows.parse(text.buffer.toString('utf8', start, next), this.place);
    const op = this.rows.op(value, this.place);
    records.add(this.rows.row(value, op, this.place), op, start, next);
  }

  #unexpected(text: TextWindow, at: number, expected: Expected): Error {
    this.place.offset = text.offsetOf(at);
    const found = excerpt(text.buffer.toString('utf8', at, Math.min(at + 20, text.end)));
    return formatError(this.place, `expected ${expected} of a JSON array, found ${found}`, { expected });
  }
}

function isSpace(byte: number): boolean {
  return byte === 32 || byte === 10 || byte === 13 || byte === 9;
}

/** What may come after `[`, `]` or `,`; undefined where that byte is not one that is expected here. */
function afterPunctuation(expected: Expected, byte: number): Expected | undefined {
  if (byte === OPEN) return expected === '[' ? 'element or ]' : undefined;
  if (byte === CLOSE) return expected === 'element or ]' || expected === ', or ]' ? 'end' : undefined;
  if (byte === COMMA) return expected === ', or ]' ? 'element' : undefined;
  return undefined;
}

function startsElement(expected: Expected): boolean {
  return expected === 'element' || expected === 'element or ]';
}

const BYTE_ORDER_MARK_LENGTH = 3;
const QUOTE = 34;
const COMMA = 44;
const OPEN = 91;
const BACKSLASH = 92;
const CLOSE = 93;

/** What a byte means to the end of an element. A table, since most bytes mean nothing: 1 string, 2 opens, 3 closes, 4 separates. */
const MEANING = new Uint8Array(256);
for (const [bytes, meaning] of [
  ['"', 1],
  ['{[', 2],
  ['}]', 3],
  [', \n\r\t', 4],
] as const) {
  for (const byte of Buffer.from(bytes)) MEANING[byte] = meaning;
}

/**
 * The index behind the element that starts at `start`; undefined where it does not end before `end`. Only nesting and strings are
 * looked at: whether the element is JSON, JSON.parse tells.
 */
function elementEnd(buffer: Buffer, start: number, end: number): number | undefined {
  let depth = 0;
  for (let at = start; at < end; at++) {
    switch (MEANING[buffer[at] ?? 0]) {
      case 0:
        break;
      case 1: {
        at = stringEnd(buffer, at + 1, end);
        if (depth === 0) return at < end ? at + 1 : undefined;
        break;
      }
      case 2:
        depth++;
        break;
      case 3:
        // A number, true, false or null has no end of its own.
        if (depth === 0) return at;
        if (--depth === 0) return at + 1;
        break;
      default:
        if (depth === 0) return at;
    }
  }
  return undefined;
}

/** The index of the quote that ends a string, or at least `end` where it is not there yet. */
function stringEnd(buffer: Buffer, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    const byte = buffer[at];
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH) at++;
  }
  return end;
}
