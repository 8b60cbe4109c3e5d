/** Compares what a table holds with what it must hold, row by row. */
import type { Expected } from './oracle.js';

export interface TableCheck {
  /** Rows that must be there. */
  readonly expected: number;
  /** Rows that are there. */
  readonly found: number;
  /** Expected rows that are not there. */
  readonly lost: number;
  /** Rows beyond the first of those that are there more than once. */
  readonly duplicated: number;
  /** Rows with other values than expected, and rows that nobody expects. */
  readonly wrong: number;
}

/** A row of a table: the text of its key and of its other columns. */
export type FoundRow = readonly [key: string, values: string];

export function checkRows(expected: Expected, found: Iterable<FoundRow>): TableCheck {
  const seen = new Set<string>();
  let [count, duplicated, wrong] = [0, 0, 0];
  for (const [key, values] of found) {
    count++;
    if (seen.has(key)) duplicated++;
    else if (expected.get(key) !== values) wrong++;
    if (expected.has(key)) seen.add(key);
  }
  return { expected: expected.size, found: count, lost: expected.size - seen.size, duplicated, wrong };
}

export function isExact({ lost, duplicated, wrong }: TableCheck): boolean {
  return lost === 0 && duplicated === 0 && wrong === 0;
}

/** All tables together. */
export function sumOf(checks: readonly TableCheck[]): TableCheck {
  const sum = (name: keyof TableCheck) => checks.reduce((total, check) => total + check[name], 0);
  return {
    expected: sum('expected'),
    found: sum('found'),
    lost: sum('lost'),
    duplicated: sum('duplicated'),
    wrong: sum('wrong'),
  };
}
