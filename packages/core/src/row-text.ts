/** Texts by which rows and keys are compared: two values have the same text exactly when a database holds them as the same. */

/**
 * The text of any value of a row. Numbers and bigints of the same value are the same; -0 is 0; null and undefined are the same;
 * a Date is its microseconds, as a bigint timestamp is.
 */
export function valueText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
      return value === 0 ? '0' : String(value);
    case 'bigint':
      return value.toString();
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      return value === null ? 'null' : objectText(value);
    default:
      return 'null';
  }
}

function objectText(value: object): string {
  if (value instanceof Date) return dateText(value);
  if (value instanceof Uint8Array)
    return `x"${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}"`;
  if (Array.isArray(value)) return `[${value.map(valueText).join(',')}]`;
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined && member !== null)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, member]) => `${JSON.stringify(name)}:${valueText(member)}`);
  return `{${members.join(',')}}`;
}

function dateText(date: Date): string {
  const milliseconds = date.getTime();
  return Number.isNaN(milliseconds) ? 'no date' : (BigInt(milliseconds) * 1000n).toString();
}

/** Makes the function that gives the text of a row's key. */
export function keyTextOf(key: readonly string[]): (row: object) => string {
  const [only] = key;
  if (key.length === 1 && only !== undefined) return (row) => valueText(member(row, only));
  return (row) => key.map((name) => valueText(member(row, name))).join(',');
}

/** The value of a column by its name. */
export function member(row: object, name: string): unknown {
  return Reflect.get(row, name);
}
