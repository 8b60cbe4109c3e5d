import type { ChangelogMode } from '@eos/core';
import { columnsText, rowText } from './row-text.js';

/** One change, as the oracle is fed. `op` absent: `+I`. */
export interface Change<Row> {
  readonly row: Row;
  /** An `Op` of core: 0 `+I`, 1 `-U`, 2 `+U`, 3 `-D`. */
  readonly op?: number;
}

export interface ExpectedRowsOptions {
  readonly changelog: ChangelogMode;
  /** Columns of the key, for `upsert`. */
  readonly key?: readonly string[];
}

/**
 * The rows that a destination must hold after a changelog: each change applied once, in order, one at a time. It shares no code
 * with what it is to judge.
 * @throws RangeError for a changelog that contradicts itself (takes back what is not there) or the mode
 * @example
 * const expected = expectedRows({ changelog: 'upsert', key: ['route'] }, changes);
 */
export function expectedRows<Row extends object>(
  options: ExpectedRowsOptions,
  changes: Iterable<Change<Row>>,
): Row[] {
  switch (options.changelog) {
    case 'append':
      return appendedRows(changes);
    case 'upsert':
      return keyedRows(changes, options.key ?? []);
    case 'retract':
      return countedRows(changes);
  }
}

function takes(op: number | undefined): boolean {
  return op === 1 || op === 3;
}

function appendedRows<Row>(changes: Iterable<Change<Row>>): Row[] {
  const rows: Row[] = [];
  for (const { row, op } of changes) {
    if (takes(op)) throw new RangeError('an append changelog takes nothing back');
    rows.push(row);
  }
  return rows;
}

function keyedRows<Row extends object>(changes: Iterable<Change<Row>>, key: readonly string[]): Row[] {
  if (key.length === 0) throw new RangeError('an upsert changelog needs a key');
  const rows = new Map<string, Row>();
  for (const { row, op } of changes) {
    const text = columnsText(row, key);
    if (takes(op)) rows.delete(text);
    else rows.set(text, row);
  }
  return [...rows.values()];
}

function countedRows<Row>(changes: Iterable<Change<Row>>): Row[] {
  const counted = new Map<string, Row[]>();
  for (const { row, op } of changes) {
    const text = rowText(row);
    const copies = counted.get(text) ?? [];
    if (!takes(op)) copies.push(row);
    else if (copies.pop() === undefined)
      throw new RangeError(`a row is taken back that is not there: ${text}`);
    counted.set(text, copies);
  }
  return [...counted.values()].flat();
}
