/** Rows that were set aside and wait: no row of the table has to stand for them. */
import { createHash } from 'node:crypto';
import { OP_NAMES, type ChangeBatch, type SinkContext } from '@eos/core';
import { jsonbText } from '../reader/compared-columns.js';
import type { Link } from '../connection/connection.js';
import { quoteTable, type TableName } from '../connection/identifiers.js';
import { hasLetters, isOf, isReplayed } from './replay-record.js';
import { rowJson } from './row-json.js';

/** Whether the row of a batch is one of them. Each letter stands for one row: asked again, it is used up. */
export type LetterFinder = (batch: ChangeBatch<unknown>, index: number) => boolean;

/**
 * Reads them in the open transaction. Memory: some 150 bytes a letter.
 * @returns a maker of finders, one for each reading of the source; undefined where there are none
 */
export async function waitingLetters(
  link: Link,
  table: TableName,
  context: SinkContext,
): Promise<(() => LetterFinder) | undefined> {
  const sql = quoteTable(table);
  if (!(await hasLetters(link, sql))) return undefined;
  const [answer] = await link.run(`
    SELECT l.partition, l.row_offset, l.op, pg_catalog.md5(l.row::pg_catalog.text) FROM ${sql} l
    WHERE ${isOf(context)} AND NOT ${isReplayed(context)}`);
  const counts = new Map<string, number>();
  const places = new Set<string>();
  for (const [partition, offset, op, digest] of answer?.rows ?? []) {
    const place = placeName(String(partition), offset ?? undefined);
    const letter = `${place}${String(op)} ${String(digest)}`;
    places.add(place);
    counts.set(letter, (counts.get(letter) ?? 0) + 1);
  }
  return counts.size === 0 ? undefined : () => letterFinder(new Map(counts), places);
}

function letterFinder(left: Map<string, number>, places: ReadonlySet<string>): LetterFinder {
  return ({ partition, rows, ops, offsets }, index) => {
    const place = placeName(partition, offsets?.[index]);
    // Most rows are no letters: what they hold is not looked at.
    if (!places.has(place)) return false;
    const digest = createHash('md5')
      .update(jsonbText(rowJson(rows[index]).row))
      .digest('hex');
    const letter = `${place}${OP_NAMES[ops?.[index] ?? 0] ?? ''} ${digest}`;
    const count = left.get(letter) ?? 0;
    left.set(letter, count - 1);
    return count > 0;
  };
}

/** The offset is not known where the transform keeps none. */
function placeName(partition: string, offset: bigint | string | undefined): string {
  return `${partition}\0${offset ?? ''}\0`;
}
