/** The members of a JSON object as texts, so that each can be parsed without rounding, or not at all. */
import { formatError, type Place } from '@eos/core';

/**
 * The texts of the members called `names` of the object that `text` is. What is within other members is not looked at.
 * @throws EOS_SOURCE_FORMAT where `text` is no object
 */
export function memberTexts<Name extends string>(
  text: string,
  place: Place,
  names: readonly Name[],
): Partial<Record<Name, string>> {
  const found: Partial<Record<Name, string>> = {};
  let at = skipSpace(text, 0);
  if (text[at] !== '{') throw noObject(text, place);
  at = skipSpace(text, at + 1);
  if (text[at] === '}') return found;
  for (;;) {
    if (text[at] !== '"') throw noObject(text, place);
    const nameEnd = stringEnd(text, at);
    const name = text.slice(at + 1, nameEnd - 1);
    at = skipSpace(text, nameEnd);
    if (text[at] !== ':') throw noObject(text, place);
    const start = skipSpace(text, at + 1);
    const end = valueEnd(text, start);
    if (end === start) throw noObject(text, place);
    if (isOneOf(name, names)) found[name] = text.slice(start, end);
    at = skipSpace(text, end);
    if (text[at] === '}') return found;
    if (text[at] !== ',') throw noObject(text, place);
    at = skipSpace(text, at + 1);
  }
}

function isOneOf<Name extends string>(name: string, names: readonly Name[]): name is Name {
  return names.some((one) => one === name);
}

function skipSpace(text: string, from: number): number {
  let at = from;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return at;
    at++;
  }
}

/** Behind the quote that ends the string which begins at `start`; the end of the text where none does. */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) return at + 1;
  }
  return text.length;
}

const QUOTE = 34;
const BACKSLASH = 92;

/** Behind the value that begins at `start`. */
function valueEnd(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    switch (text[at]) {
      case '"':
        at = stringEnd(text, at) - 1;
        if (depth === 0) return at + 1;
        break;
      case '{':
      case '[':
        depth++;
        break;
      case '}':
      case ']':
        if (depth === 0) return trimmed(text, start, at);
        if (--depth === 0) return at + 1;
        break;
      case ',':
        if (depth === 0) return trimmed(text, start, at);
        break;
    }
  }
  return text.length;
}

function trimmed(text: string, start: number, end: number): number {
  let at = end;
  while (at > start && ' \n\r\t'.includes(text[at - 1] ?? '')) at--;
  return at;
}

function noObject(text: string, place: Place): Error {
  return formatError(place, `${JSON.stringify(text.slice(0, 100))} is no JSON object`);
}
