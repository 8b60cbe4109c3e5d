/** One round: tables are written, and every reader must find in them what was written. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fetchDeltaJars, missingForSpark, startPython, type Python } from '@eos/services';
import { deltaSink } from '@eos/delta';
import {
  READ_WITH_DELTA_RS,
  READ_WITH_DUCKDB,
  READ_WITH_SPARK,
  TRANSACTIONS_WITH_DELTA_RS,
} from './python-scripts.js';
import { readWithEos } from './eos-reader.js';
import { madeBySpark, nestedTable, sharedWithDeltaRs, sharedWithSpark } from './shared-tables.js';
import { asleepThroughSpark, besideSpark } from './beside-spark.js';
import { feedReaders, proveFeed } from './feeds.js';
import { differenceOf, inOrder, type ShownRow } from './shown-rows.js';
import { appendedTable, CONTEXT, partitionedTable, upsertedTable, type ExpectedTable } from './tables.js';

export interface Check {
  readonly name: string;
  /** Undefined: passed. */
  readonly failure: string | undefined;
}

export interface ProofOptions {
  readonly seed: number;
  readonly onCheck: (check: Check) => void;
}

/** Spark may take a minute to start on a machine that does other things too. */
const READ_LIMIT_MS = 600_000;

const WITH_FEED = 'upserted with a change feed';

export async function prove({ seed, onCheck }: ProofOptions): Promise<void> {
  const missing = missingForSpark();
  const [jars, spark] =
    missing === undefined
      ? [await fetchDeltaJars(), await startPython(['pyspark', 'pyarrow'])]
      : [[], undefined];
  // What is not proved is no success.
  if (missing !== undefined) onCheck({ name: 'Spark is there', failure: missing });
  const python = await startPython(['deltalake', 'pyarrow', 'duckdb']);
  const root = await mkdtemp(join(tmpdir(), 'eos-delta-proof-'));
  try {
    const tables = await writeTables(root, seed, { python, spark, jars }, onCheck);
    await proveTransactions(root, python, onCheck);
    const fed = tables.findLast(({ name }) => name.startsWith(WITH_FEED));
    if (fed !== undefined) {
      const failures = await proveFeed(fed, feedReaders(python, spark, jars));
      for (const [name, failure] of failures) onCheck({ name, failure });
    }
    await readAll('Eos', tables, onCheck, (tasks) =>
      Promise.all(tasks.map(({ path, version }) => readWithEos(path, version))),
    );
    await readAll('delta-rs', tables, onCheck, (tasks) =>
      python.run(READ_WITH_DELTA_RS, { input: tasks, timeoutMilliseconds: READ_LIMIT_MS }),
    );
    await readAll('DuckDB', tables, onCheck, (tasks) =>
      python.run(READ_WITH_DUCKDB, { input: tasks, timeoutMilliseconds: READ_LIMIT_MS }),
    );
    if (spark !== undefined)
      await readAll('Spark', tables, onCheck, (tasks) =>
        spark.run(READ_WITH_SPARK, { input: { jars, tasks }, timeoutMilliseconds: READ_LIMIT_MS }),
      );
  } finally {
    await Promise.all([python.stop(), spark?.stop()]);
    await rm(root, { recursive: true, force: true });
  }
}

interface Programs {
  readonly python: Python;
  readonly spark: Python | undefined;
  readonly jars: readonly string[];
}

async function writeTables(
  root: string,
  seed: number,
  { python, spark, jars }: Programs,
  onCheck: ProofOptions['onCheck'],
): Promise<readonly ExpectedTable[]> {
  const changeFeed = { 'delta.enableChangeDataFeed': 'true' };
  const deletionVectors = { 'delta.enableDeletionVectors': 'true' };
  const makers: readonly (readonly [string, () => Promise<readonly ExpectedTable[]>])[] = [
    ['appended', () => appendedTable(root, seed)],
    ['partitions of many types', () => partitionedTable(root, seed)],
    ['upserted', () => upsertedTable(root, seed, { name: 'upserted' })],
    [
      'upserted in partitions',
      () => upsertedTable(root, seed + 1, { name: 'upserted in partitions', partitionBy: ['place'] }),
    ],
    [
      'upserted with deletion vectors',
      () =>
        upsertedTable(root, seed, { name: 'upserted with deletion vectors', properties: deletionVectors }),
    ],
    [
      'upserted with a change feed',
      () => upsertedTable(root, seed, { name: WITH_FEED, properties: changeFeed }),
    ],
    ['shared with delta-rs', () => sharedWithDeltaRs(root, python)],
    ['nested types', () => nestedTable(root, python)],
    ...(spark === undefined
      ? []
      : [
          ['shared with Spark', () => sharedWithSpark(root, spark, jars)] as const,
          ['made by Spark', () => madeBySpark(root, spark, jars)] as const,
          ['written beside Spark', () => besideSpark(root, spark, jars)] as const,
          ['asleep through the clean-ups of Spark', () => asleepThroughSpark(root, spark, jars)] as const,
        ]),
  ];
  const tables: ExpectedTable[] = [];
  for (const [name, make] of makers) {
    try {
      tables.push(...(await make()));
    } catch (error) {
      onCheck({ name: `${name}: written`, failure: String(error).slice(0, 2_000) });
    }
  }
  return tables;
}

type ReadTask = Pick<ExpectedTable, 'path' | 'version'>;
type ReadTables = (tasks: readonly ReadTask[]) => Promise<unknown>;

/** All tables at once; where that fails, one by one, to tell which one it is. */
async function readAll(
  reader: string,
  tables: readonly ExpectedTable[],
  onCheck: ProofOptions['onCheck'],
  read: ReadTables,
): Promise<void> {
  const tasks = tables.map(({ path, version }) => (version === undefined ? { path } : { path, version }));
  const together = await rowsOrFailure(read, tasks);
  for (const [index, { name, rows }] of tables.entries()) {
    const task = tasks[index];
    const found =
      typeof together !== 'string' || task === undefined ? together : await rowsOrFailure(read, [task]);
    const failure =
      typeof found === 'string'
        ? found
        : differenceOf(rows, inOrder(found[typeof together === 'string' ? 0 : index] ?? []));
    onCheck({ name: `${name}, read by ${reader}`, failure });
  }
}

async function rowsOrFailure(read: ReadTables, tasks: readonly ReadTask[]): Promise<ShownRow[][] | string> {
  try {
    // What the scripts return.
    return (await read(tasks)) as ShownRow[][];
  } catch (error) {
    return String(error).slice(-2_000);
  }
}

/** Positions, read by delta-rs and by us. */
async function proveTransactions(
  root: string,
  python: Python,
  onCheck: ProofOptions['onCheck'],
): Promise<void> {
  const path = join(root, 'appended');
  const input = { path, prefix: `eos/1/${CONTEXT.pipeline}/${CONTEXT.sink}/0/` };
  const found = await python.run(TRANSACTIONS_WITH_DELTA_RS, { input });
  const status = await deltaSink({ folder: path }).abilities?.status?.(CONTEXT);
  const position = status?.get('0')?.position;
  const expected = {
    epoch: String(position?.epoch),
    offset: String(position?.offset),
    owner: String(position?.owner),
    txId: String(position?.txId),
  };
  const isSame = JSON.stringify(found) === JSON.stringify(expected) && position?.epoch === 30n;
  const failure = isSame ? undefined : `${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`;
  onCheck({ name: 'positions, read by delta-rs', failure });
}
