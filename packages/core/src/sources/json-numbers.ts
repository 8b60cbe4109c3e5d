/** JSON.parse rounds numbers to what a double holds. Here are the numbers of a text for which that could matter. */
import type { ColumnKind } from '../schema.js';

/** A number of a JSON text, as it is written there. */
export interface NumberToken {
  readonly text: string;
  readonly start: number;
}

/** A double keeps 15 digits of any number: only a text that may have more in one is looked at closely. */
const LONG = /\d[\d.]{15}/;
const LONG_TOKENS = /-?\d[\d.]{15,}(?:[eE][+-]?\d+)?/g;

/** The numbers of `text`, which is JSON, that JSON.parse may have rounded; what is within a string is none. */
export function longNumbers(text: string): readonly NumberToken[] {
  if (!LONG.test(text)) return NONE;
  const found: NumberToken[] = [];
  let outside = 0;
  LONG_TOKENS.lastIndex = 0;
  for (let match = LONG_TOKENS.exec(text); match !== null; match = LONG_TOKENS.exec(text)) {
    outside = outsideStrings(text, outside, match.index);
    if (outside > match.index) LONG_TOKENS.lastIndex = outside;
    else found.push({ text: match[0], start: match.index });
  }
  return found;
}

const NONE: readonly NumberToken[] = [];

/** The first index from `until` on that is in no string, where `from` is in none. */
function outsideStrings(text: string, from: number, until: number): number {
  let at = from;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote === -1 || quote >= until) return until;
    at = stringEnd(text, quote + 1);
    if (at > until) return at;
  }
}

/** The index behind the quote that ends a string. */
function stringEnd(text: string, start: number): number {
  for (let from = start; ;) {
    const quote = text.indexOf('"', from);
    if (quote === -1) return text.length;
    let before = quote;
    while (before > start && text[before - 1] === '\\') before--;
    if ((quote - before) % 2 === 0) return quote + 1;
    from = quote + 1;
  }
}

/**
 * Whether the double that JSON.parse makes of a number stands for it: as JavaScript writes it, or rounded to as many digits as the
 * text has, as other languages do (`0.10000000000000001`).
 */
export function isExact(token: string): boolean {
  const value = Number(token);
  const shortest = String(value);
  if (shortest === token) return true;
  if (!Number.isFinite(value)) return false;
  const digits = significantDigits(token);
  if (digits === '' || value === 0) return digits === '';
  if (digits === significantDigits(shortest)) return true;
  return digits.length <= 100 && significantDigits(value.toPrecision(digits.length)) === digits;
}

function significantDigits(text: string): string {
  const digits = text
    .replace(/[eE].*$/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+/, '');
  // No /0+$/: on a long run of zeros within the digits it would take the square of their number.
  let end = digits.length;
  while (end > 0 && digits[end - 1] === '0') end--;
  return digits.slice(0, end);
}

/** The value of `text`, with the text of each of `numbers` as a string in its place. */
export function parseWithText(text: string, numbers: readonly NumberToken[]): unknown {
  let quoted = '';
  let at = 0;
  for (const { text: token, start } of numbers) {
    quoted += `${text.slice(at, start)}"${token}"`;
    at = start + token.length;
  }
  return JSON.parse(quoted + text.slice(at));
}

/** The first number within `value` that is not exact; `withText` is the same value by {@link parseWithText}. */
export function inexactNumber(value: unknown, withText: unknown): string | undefined {
  if (typeof value === 'number')
    return typeof withText === 'string' && !isExact(withText) ? withText : undefined;
  if (!isContainer(value) || !isContainer(withText)) return undefined;
  for (const [name, member] of Object.entries(value)) {
    const found = inexactNumber(member, withText[name]);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isContainer(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** Whether a column of this kind takes the text of a long number, not what JSON.parse made of it. */
export function takesText(kind: ColumnKind, token: string): boolean {
  if (kind === 'decimal') return true;
  return (kind === 'int64' || kind === 'int32') && (/^-?\d+$/.test(token) || !isExact(token));
}
