/**
 * A segment holds the entries of one window of the log, which were written as objects of their own, in one: who reads the whole log
 * takes one request for each 64 entries. It is a function of the log alone, whoever writes it; one that is missing costs time only.
 */
import { parseEntry } from './entry-text.js';
import { malformed } from './fields.js';
import type { ReadEntry } from './read.js';

/** How many entries a window has. Behind each, a checkpoint is written. */
export const WINDOW = 64n;

/** The window that an entry is in. */
export function windowOf(seq: bigint): { readonly first: bigint; readonly last: bigint } {
  const first = seq - (seq % WINDOW);
  return { first, last: first + WINDOW - 1n };
}

/** One entry a line; canonical text has no line breaks. */
export function segmentText(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('');
}

/** @throws EOS_FORMAT */
export function parseSegment(body: Uint8Array, from: string, first: bigint): readonly ReadEntry[] {
  const lines = Buffer.from(body).toString().split('\n').slice(0, -1);
  if (BigInt(lines.length) !== WINDOW) throw malformed(from, `has not ${WINDOW} entries`);
  return lines.map((text, index) => ({ seq: first + BigInt(index), entry: parseEntry(text, from), text }));
}
