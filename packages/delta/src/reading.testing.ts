/**
 * A reader of Delta tables that shares nothing with the package: the log replayed by a few lines of its own, the live files read by
 * DuckDB.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DuckDBInstance, type DuckDBConnection, type DuckDBValue } from '@duckdb/node-api';
import type { ObjectStore } from '@eos/object-store';
import { conformanceSchema, type FoundRow } from '@eos/testkit';

/** Every live file, by replaying all commits from the first: a table under test has no log clean-up. */
export async function liveFiles(store: ObjectStore, prefix: string): Promise<readonly string[]> {
  const live = new Set<string>();
  for (let version = 0; ; version++) {
    const found = await store.get(`${prefix}_delta_log/${String(version).padStart(20, '0')}.json`);
    if (found === undefined) return [...live];
    const actions = Buffer.from(found.body)
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, { path: string; deletionVector?: object }>);
    for (const { remove } of actions) if (remove !== undefined) live.delete(decodeURIComponent(remove.path));
    for (const { add } of actions) {
      if (add?.deletionVector !== undefined) throw new Error(`${add.path} has a deletion vector`);
      if (add !== undefined) live.add(decodeURIComponent(add.path));
    }
  }
}

/** Values as the suite compares them, without going through a type of DuckDB that is narrower than the file's. */
const SELECT: Readonly<Record<string, string>> = {
  id: 'id::VARCHAR AS id',
  big: 'big::VARCHAR AS big',
  amount: 'amount::VARCHAR AS amount',
  day: 'day::VARCHAR AS day',
  // DuckDB takes the greatest numbers for infinity.
  moment: `CASE WHEN isinf(moment) THEN if(moment > '2000-01-01', '', '-') || '9223372036854775807' ELSE epoch_us(moment)::VARCHAR END AS moment`,
};

/** The rows of a table of the conformance suite. */
export class TableReader {
  #connection: Promise<DuckDBConnection> | undefined;
  #folder: Promise<string> | undefined;
  readonly #copied = new Set<string>();

  /** @param root the folder of the store, where it is one of files: nothing is copied then */
  constructor(
    private readonly store: ObjectStore,
    private readonly prefix: string,
    private readonly root?: string,
  ) {}

  async rows(): Promise<readonly FoundRow[]> {
    const files = await liveFiles(this.store, this.prefix);
    if (files.length === 0) return [];
    const paths = await Promise.all(files.map((file) => this.#pathOf(file)));
    const columns = conformanceSchema.names.map((name) => SELECT[name] ?? `"${name}"`).join(', ');
    const list = paths.map((path) => `'${path.replaceAll("'", "''")}'`).join(', ');
    this.#connection ??= connect();
    const connection = await this.#connection;
    const sql = `SELECT ${columns} FROM read_parquet([${list}], union_by_name = true, hive_partitioning = false)`;
    const result = await connection.runAndReadAll(sql);
    return result.getRowObjects().map(foundRow);
  }

  async close(): Promise<void> {
    (await this.#connection)?.closeSync();
    if (this.#folder !== undefined) await rm(await this.#folder, { recursive: true, force: true });
  }

  async #pathOf(file: string): Promise<string> {
    if (this.root !== undefined) return join(this.root, this.prefix, file);
    this.#folder ??= mkdtemp(join(tmpdir(), 'eos-delta-read-'));
    const path = join(await this.#folder, file);
    if (this.#copied.has(path)) return path;
    const found = await this.store.get(`${this.prefix}${file}`);
    if (found === undefined) throw new Error(`the log names ${file}, and it is not there`);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, found.body);
    this.#copied.add(path);
    return path;
  }
}

async function connect(): Promise<DuckDBConnection> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  return await instance.connect();
}

function foundRow(row: Record<string, DuckDBValue>): FoundRow {
  const { document, raw, ...others } = row;
  return {
    ...others,
    document: typeof document === 'string' ? (JSON.parse(document) as unknown) : document,
    raw: bytesOf(raw),
  };
}

function bytesOf(value: DuckDBValue | undefined): unknown {
  return typeof value === 'object' && value !== null && 'bytes' in value ? value.bytes : value;
}
