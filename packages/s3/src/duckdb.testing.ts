/** Data files of the conformance rows as DuckDB reads them, which knows nothing of Eos. */
import { DuckDBInstance } from '@duckdb/node-api';
import { conformanceSchema, type FoundRow } from '@eos/testkit';
import type { FileFormat } from './files/settings.js';

/** The text of each value of a row, or null. */
export type Texts = readonly (string | null)[];

export async function duckdb(sql: string): Promise<readonly Texts[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const result = await connection.runAndReadAll(sql);
    return result.getRows().map((row) => row.map((value) => (value === null ? null : String(value))));
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

export const listOf = (paths: readonly string[]): string =>
  `[${paths.map((path) => `'${path.replaceAll("'", "''")}'`).join(', ')}]`;

const TYPES = `id: 'BIGINT', flag: 'BOOLEAN', small: 'INTEGER', big: 'BIGINT', ratio: 'DOUBLE', amount: 'DECIMAL(38, 9)', name: 'VARCHAR', \
raw: 'VARCHAR', day: 'DATE', moment: 'TIMESTAMPTZ', document: 'JSON', reference: 'UUID'`;

/** Bytes in hex. */
const RAW: Readonly<Record<FileFormat, string>> = {
  ndjson: 'hex(from_base64(raw))',
  csv: `CASE WHEN raw = '\\x' THEN '' ELSE hex(from_base64(raw)) END`,
  parquet: 'hex(raw)',
};

function table(format: FileFormat, paths: readonly string[], hasOps: boolean): string {
  const types = `{${hasOps ? `_op: 'VARCHAR', ` : ''}${TYPES}}`;
  switch (format) {
    case 'ndjson':
      return `read_json(${listOf(paths)}, format = 'newline_delimited', columns = ${types})`;
    case 'csv':
      return `read_csv(${listOf(paths)}, header = true, columns = ${types}, nullstr = '', allow_quoted_nulls = false, quote = '"', escape = '"')`;
    case 'parquet':
      return `read_parquet(${listOf(paths)})`;
  }
}

/** The columns of the schema in order, as text, of what `from` gives. */
export function selectTexts(format: FileFormat, from: string): string {
  return `SELECT id::VARCHAR, flag::VARCHAR, small::VARCHAR, big::VARCHAR, ratio::VARCHAR, amount::VARCHAR, name, ${RAW[format]}, day::VARCHAR,
    epoch_us(moment)::VARCHAR, document::VARCHAR, reference::VARCHAR FROM ${from}`;
}

/** All rows of some files, in their order. */
export function textsOfFiles(format: FileFormat, paths: readonly string[]): Promise<readonly Texts[]> {
  return duckdb(selectTexts(format, table(format, paths, false)));
}

/** How many files DuckDB is given at a time. */
const AT_ONCE = 1_000;

/** All rows of some files, in their order, as the conformance suite compares them; of a changelog with `_op`. */
export async function rowsOfFiles(
  format: FileFormat,
  paths: readonly string[],
  hasOps: boolean,
): Promise<readonly FoundRow[]> {
  const rows: FoundRow[] = [];
  for (let start = 0; start < paths.length; start += AT_ONCE) {
    const from = table(format, paths.slice(start, start + AT_ONCE), hasOps);
    const op = hasOps ? '_op' : 'NULL';
    const sql = selectTexts(format, from).replace('SELECT', `SELECT ${op},`);
    for (const [first, ...texts] of await duckdb(sql)) rows.push({ _op: first, ...foundRow(texts) });
  }
  return rows;
}

function foundRow(texts: Texts): FoundRow {
  const found: Record<string, unknown> = {};
  for (const [index, name] of conformanceSchema.names.entries())
    found[name] = valueOf(name, texts[index] ?? null);
  return found;
}

function valueOf(name: string, text: string | null): unknown {
  if (text === null) return null;
  switch (name) {
    case 'flag':
      return text === 'true';
    case 'ratio':
      return text.replace(/^(-?)inf.*$/i, '$1Infinity').replace(/^nan$/i, 'NaN');
    case 'raw':
      return new Uint8Array(Buffer.from(text, 'hex'));
    case 'document':
      return JSON.parse(text) as unknown;
    default:
      return text;
  }
}
