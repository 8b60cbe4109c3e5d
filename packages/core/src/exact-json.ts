/** JSON.parse for texts of others, whose integers may have 63 bits. */
import { longNumbers, parseWithText } from './sources/json-numbers.js';

/**
 * The value of a JSON text. A number of so many digits that JSON.parse might round it is what `longNumber` makes of its text.
 * @param longNumber default: a bigint for an integer that is not safe, else what JSON.parse makes of it
 * @throws SyntaxError where the text is not JSON
 */
export function parseExactJson(text: string, longNumber: (token: string) => unknown = exactInteger): unknown {
  const value: unknown = JSON.parse(text);
  const numbers = longNumbers(text);
  return numbers.length === 0 ? value : withNumbers(value, parseWithText(text, numbers), longNumber);
}

function exactInteger(token: string): number | bigint {
  const number = Number(token);
  return Number.isSafeInteger(number) || !/^-?\d+$/.test(token) ? number : BigInt(token);
}

/** `withText` is the same value with texts in place of long numbers: nothing else differs. */
function withNumbers(value: unknown, withText: unknown, longNumber: (token: string) => unknown): unknown {
  if (typeof value === 'number') return typeof withText === 'string' ? longNumber(withText) : value;
  if (Array.isArray(value) && Array.isArray(withText)) {
    return value.map((member, at) => withNumbers(member, withText[at], longNumber));
  }
  if (!isRecord(value) || !isRecord(withText)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, withNumbers(member, withText[name], longNumber)]),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
