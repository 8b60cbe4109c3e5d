import { columnsText, rowText } from './row-text.js';

export interface CompareOptions<Row> {
  /** With a key, a row that differs from the expected one of its key is `wrong`, instead of one lost and one wrong. */
  readonly key?: readonly string[];
  /** The text by which rows are told apart. Default: all columns, see `rowText`. */
  readonly text?: (row: Row) => string;
  /** How many examples of each problem to keep. Default 3. */
  readonly examples?: number;
}

/** What a destination holds, measured by what it should. */
export interface RowComparison<Row> {
  /** Number of rows that should be there. */
  readonly expected: number;
  /** Number of rows that are there. */
  readonly found: number;
  /** Expected, and not there. */
  readonly lost: number;
  /** There more often than expected. */
  readonly duplicated: number;
  /** There, and never expected; with a key: other than expected. */
  readonly wrong: number;
  /** No row is lost, duplicated or wrong. */
  readonly isExact: boolean;
  readonly examples: readonly RowProblem<Row>[];
}

export interface RowProblem<Row> {
  readonly problem: 'lost' | 'duplicated' | 'wrong';
  readonly expected?: Row;
  readonly found?: Row;
}

/** Compares two bags of rows, in any order. */
export function compareRows<Row extends object>(
  expected: Iterable<Row>,
  found: Iterable<Row>,
  options: CompareOptions<Row> = {},
): RowComparison<Row> {
  const { key, text = rowText, examples = 3 } = options;
  const report = new Report<Row>(examples);
  const groupOf = key === undefined ? text : (row: Row) => columnsText(row, key);
  const wanted = grouped(expected, groupOf);
  const held = grouped(found, groupOf);
  for (const [group, rows] of wanted) {
    report.expected += rows.length;
    compareGroup(rows, held.get(group) ?? [], text, report);
  }
  for (const [group, rows] of held) {
    report.found += rows.length;
    if (!wanted.has(group)) for (const row of rows) report.add({ problem: 'wrong', found: row });
  }
  return report.result();
}

/** Rows of one key, or equal ones: the equal cancel out, then a surplus is doubled, a shortage lost, and what is left differs. */
function compareGroup<Row>(
  wanted: readonly Row[],
  held: readonly Row[],
  text: (row: Row) => string,
  report: Report<Row>,
): void {
  const missing = [...wanted];
  const surplus: Row[] = [];
  for (const row of held) {
    const rowsText = text(row);
    const index = missing.findIndex((other) => text(other) === rowsText);
    if (index === -1) surplus.push(row);
    else missing.splice(index, 1);
  }
  for (const row of surplus) {
    const expected = missing.pop();
    if (expected === undefined) report.add({ problem: 'duplicated', found: row });
    else report.add({ problem: 'wrong', expected, found: row });
  }
  for (const row of missing) report.add({ problem: 'lost', expected: row });
}

function grouped<Row>(rows: Iterable<Row>, groupOf: (row: Row) => string): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const name = groupOf(row);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [row]);
    else group.push(row);
  }
  return groups;
}

class Report<Row> {
  expected = 0;
  found = 0;
  readonly #counts = { lost: 0, duplicated: 0, wrong: 0 };
  readonly #examples: RowProblem<Row>[] = [];

  constructor(private readonly examplesOfEach: number) {}

  add(problem: RowProblem<Row>): void {
    if (++this.#counts[problem.problem] <= this.examplesOfEach) this.#examples.push(problem);
  }

  result(): RowComparison<Row> {
    const { lost, duplicated, wrong } = this.#counts;
    const isExact = lost + duplicated + wrong === 0;
    return {
      expected: this.expected,
      found: this.found,
      lost,
      duplicated,
      wrong,
      isExact,
      examples: this.#examples,
    };
  }
}
