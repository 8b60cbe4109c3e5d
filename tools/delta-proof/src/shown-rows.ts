/** Rows as every side shows them: each value as a text (lists and structs of texts), what is null left out. Equal rows have equal JSON. */

export type Shown = string | null | readonly Shown[] | { readonly [name: string]: Shown };
export type ShownRow = Readonly<Record<string, Shown>>;

/** How a column's values become texts; the Python side has the same rules by Arrow type. */
export type ShowColumn = (value: unknown) => Shown;

export const asText: ShowColumn = String;
export const asBits: ShowColumn = (value) => {
  const number = Number(value);
  if (Number.isNaN(number)) return 'nan';
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(number);
  return bytes.toString('hex');
};
export const asHex: ShowColumn = (value) =>
  value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value);
export const asJson: ShowColumn = (value) => JSON.stringify(value);

/** With all digits of its scale, as Arrow shows it. */
export function asDecimal(scale: number): ShowColumn {
  return (value) => {
    const [, sign = '', whole = '0', fraction = ''] = /^([+-]?)0*(\d*)\.?(\d*)$/.exec(String(value)) ?? [];
    const digits = `${whole === '' ? '0' : whole}.${fraction.padEnd(scale, '0')}`;
    return sign === '-' && /[1-9]/.test(digits) ? `-${digits}` : digits;
  };
}

export type ShowColumns = Readonly<Record<string, ShowColumn>>;

/** In the order of their ids. */
export function shownRows(
  rows: Iterable<Readonly<Record<string, unknown>>>,
  columns: ShowColumns,
): ShownRow[] {
  const shown = Array.from(rows, (row) => {
    const entries = Object.entries(columns).flatMap(([name, show]): [string, Shown][] => {
      const value = row[name];
      return value === null || value === undefined ? [] : [[name, show(value)]];
    });
    return Object.fromEntries(entries.sort(([left], [right]) => (left < right ? -1 : 1)));
  });
  return inOrder(shown);
}

export function inOrder(rows: ShownRow[]): ShownRow[] {
  const idOf = ({ id }: ShownRow) => (typeof id === 'string' ? BigInt(id) : -1n);
  return rows.sort((left, right) => {
    const difference = idOf(left) - idOf(right);
    if (difference !== 0n) return difference < 0n ? -1 : 1;
    return JSON.stringify(left) < JSON.stringify(right) ? -1 : 1;
  });
}

/** What is wrong with rows that were found; undefined where nothing is. */
export function differenceOf(expected: readonly ShownRow[], found: readonly ShownRow[]): string | undefined {
  const counts = `${found.length} rows instead of ${expected.length}`;
  const longest = Math.max(expected.length, found.length);
  for (let at = 0; at < longest; at++) {
    const [wanted, got] = [rowText(expected[at]), rowText(found[at])];
    if (wanted !== got) return `${counts}; row ${at}: ${got} instead of ${wanted}`;
  }
  return undefined;
}

function rowText(row: ShownRow | undefined): string {
  return row === undefined ? 'none' : JSON.stringify(row);
}
