/** What readers of a table see, read by other means than those of this package. */
import { join } from 'node:path';
import type { ObjectStore, SealedUpload } from '@eos/object-store';
import { conformanceKey, conformanceSchema, type FoundRow } from '@eos/testkit';
import { rowsOfFiles } from './duckdb.testing.js';
import type { FileFormat } from './files/settings.js';

interface LoggedFile {
  readonly path: string;
  readonly upload?: SealedUpload;
}

interface LoggedCommit {
  readonly kind: string;
  readonly files?: readonly LoggedFile[];
}

export interface CommittedTable {
  readonly store: ObjectStore;
  readonly prefix: string;
  readonly mode: 'append' | 'upsert';
  readonly format: FileFormat;
  /** For formats that another program reads: where objects lie as files. */
  readonly directory?: string | undefined;
}

/** The rows of the files that the log names, folded by key where there is one. */
export async function readCommittedRows(table: CommittedTable): Promise<readonly FoundRow[]> {
  const { store, prefix, mode, format, directory } = table;
  const paths = (await committedFiles(store, prefix)).map(({ path }) => prefix + path);
  if (format !== 'ndjson' && directory === undefined) throw new Error(`${format} is read from a directory`);
  const rows =
    format === 'ndjson'
      ? (await readAll(store, paths)).flatMap(rowsOf)
      : await rowsOfFiles(
          format,
          paths.map((path) => join(directory ?? '', path)),
          mode === 'upsert',
        );
  return mode === 'append' ? rows : folded(rows);
}

/** Every file that a commit names, in order. */
export async function committedFiles(store: ObjectStore, prefix: string): Promise<readonly LoggedFile[]> {
  const entries = await readAll(store, await keysOf(store, `${prefix}_eos/log/`));
  // Written by this test's own sinks: a shape that is not there fails the test.
  return entries.flatMap((text) => (JSON.parse(text) as LoggedCommit).files ?? []);
}

/** The data files that are there for who knows of no log. */
export async function listedFiles(store: ObjectStore, prefix: string): Promise<readonly string[]> {
  return (await keysOf(store, prefix)).filter((key) => !key.startsWith(`${prefix}_eos/`));
}

/**
 * The rows that a reader sees who lists files, when what is committed has come to light: a committed file may appear late, and anybody may
 * help it. What must never be is that a file is there which no commit names, or two of one.
 */
export async function readListedRows(store: ObjectStore, prefix: string): Promise<readonly FoundRow[]> {
  const listed = await listedFiles(store, prefix);
  const committed = await committedFiles(store, prefix);
  const known = new Set(committed.map(({ path }) => prefix + path));
  const stray = listed.find((key) => !known.has(key));
  if (stray !== undefined) throw new Error(`${stray} is visible, and no commit names it`);
  if (known.size < committed.length) throw new Error('two commits name one file');
  const there = new Set(listed);
  for (const { path, upload } of committed)
    if (!there.has(prefix + path) && upload !== undefined) await store.complete(upload);
  return (await readAll(store, [...known])).flatMap(rowsOf);
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
  const exact = lines.map((line) =>
    line.replace(/^(\{(?:"_op":"[^"]*",)?"id":)(-?\d+)/, '$1"$2"').replace(/,"big":(-?\d+)/, ',"big":"$1"'),
  );
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
