/** What readers of a table see, read by other means than those of this package. */
import type { ObjectStore } from '@eos/object-store';
import { conformanceKey, conformanceSchema, type FoundRow } from '@eos/testkit';

interface LoggedCommit {
  readonly kind: string;
  readonly files?: readonly { readonly path: string }[];
}

/** The rows of the files that the log names, folded by key where there is one. */
export async function readCommittedRows(
  store: ObjectStore,
  prefix: string,
  mode: 'append' | 'upsert',
): Promise<readonly FoundRow[]> {
  const entries = await readAll(store, await keysOf(store, `${prefix}_eos/log/`));
  const paths = entries.flatMap((text) => {
    // Written by this test's own sinks: a shape that is not there fails the test.
    const { files = [] } = JSON.parse(text) as LoggedCommit;
    return files.map(({ path }) => prefix + path);
  });
  const rows = (await readAll(store, paths)).flatMap(rowsOf);
  return mode === 'append' ? rows : folded(rows);
}

/** The rows of the files that are there for who knows of no log. */
export async function readListedRows(store: ObjectStore, prefix: string): Promise<readonly FoundRow[]> {
  const keys = (await keysOf(store, prefix)).filter((key) => !key.startsWith(`${prefix}_eos/`));
  return (await readAll(store, keys)).flatMap(rowsOf);
}

async function keysOf(store: ObjectStore, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const page of store.list({ prefix })) keys.push(...page.map(({ key }) => key));
  return keys;
}

const AT_ONCE = 32;

async function readAll(store: ObjectStore, keys: readonly string[]): Promise<string[]> {
  const texts: string[] = [];
  for (let start = 0; start < keys.length; start += AT_ONCE) {
    const found = await Promise.all(keys.slice(start, start + AT_ONCE).map((key) => store.get(key)));
    for (const [index, object] of found.entries()) {
      if (object === undefined) throw new Error(`${keys[start + index] ?? ''} is missing`);
      texts.push(Buffer.from(object.body).toString());
    }
  }
  return texts;
}

function rowsOf(text: string): FoundRow[] {
  const lines = text.split('\n').filter((line) => line !== '');
  // JSON.parse would round them.
  const exact = lines.map((line) => line.replaceAll(/"(id|big)":(-?\d+)/g, '"$1":"$2"'));
  return exact.map((line) => foundRow(JSON.parse(line) as Record<string, unknown>));
}

/** Values as the suite compares them. */
function foundRow(row: Record<string, unknown>): FoundRow {
  const found: Record<string, unknown> = { ...row };
  for (const [name, { type }] of Object.entries(conformanceSchema.columns)) {
    const value = found[name];
    if (type.kind === 'bytes' && typeof value === 'string')
      found[name] = new Uint8Array(Buffer.from(value, 'base64'));
    if (type.kind === 'timestamp' && typeof value === 'string') found[name] = microseconds(value);
  }
  return found;
}

/** Of `2026-01-31T12:34:56.789012Z`. */
function microseconds(text: string): bigint {
  const [, second = '', fraction = ''] = /^(.*?)(?:\.(\d+))?Z$/.exec(text) ?? [];
  return BigInt(Date.parse(`${second}Z`)) * 1000n + BigInt(fraction.padEnd(6, '0'));
}

function folded(rows: readonly FoundRow[]): FoundRow[] {
  const live = new Map<string, FoundRow>();
  for (const { _op: op, ...row } of rows) {
    const key = JSON.stringify(conformanceKey.map((name) => String(row[name])));
    if (op === '-D' || op === '-U') live.delete(key);
    else live.set(key, row);
  }
  return [...live.values()];
}
