/**
 * The text by which the oracle tells rows apart. It is stricter than a database's equality, and written apart from core's on
 * purpose: 0 and -0 are two values, since a sink shall keep what it was given. A bigint and a number of the same value are one,
 * a Date and its microseconds too, and a column that is null and one that is left out.
 */
export function rowText(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (value instanceof Date)
    return Number.isNaN(value.getTime()) ? 'no date' : String(BigInt(value.getTime()) * 1000n);
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('hex')}`;
  if (Array.isArray(value)) return `[${value.map(rowText).join()}]`;
  const members: string[] = [];
  for (const [name, member] of Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1))) {
    if (member !== null && member !== undefined) members.push(`${JSON.stringify(name)}:${rowText(member)}`);
  }
  return `{${members.join()}}`;
}

/** The text of some columns of a row. */
export function columnsText(row: object, columns: readonly string[]): string {
  return columns.map((name) => rowText(Reflect.get(row, name))).join();
}
