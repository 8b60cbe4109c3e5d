/** Spark writes to a table of ours while we do, and cleans up behind a writer of ours that sleeps. */
import { readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isEosError, Op, rowSchema, t } from '@eos/core';
import { deltaSink } from '@eos/delta';
import type { Python } from '@eos/services';
import { RUN_ON_SPARK, WRITE_BESIDE_US_ON_SPARK } from './python-scripts.js';
import { asText, shownRows } from './shown-rows.js';
import { CONTEXT, commitRows, type ExpectedTable } from './tables.js';

const schema = rowSchema({ id: t.int64(), name: t.string().nullable() });
type NamedRow = { readonly id: bigint; readonly name: string };
const SHOW = { id: asText, name: asText };
const SPARK_MS = 900_000;

const TURNS = 3;
const THEIR_FIRST = 1_000_000;
const THEIR_ROWS = 10;
const KEYS = 50;
/**
 * Milliseconds between two commits of a session, on the average. An UPDATE of Spark loses to any file that comes while it runs: without pauses
 * it would never end. (On a local disk Spark looks whether a version is there and then renames: it relies on being alone.)
 */
const PAUSE_MS = 4_000;

function pause(): Promise<void> {
  return delay(Math.random() * 2 * PAUSE_MS);
}

/** Spark appends, updates its own rows, deletes and optimizes, while two sessions of ours append and upsert. */
export async function besideSpark(
  root: string,
  python: Python,
  jars: readonly string[],
): Promise<readonly ExpectedTable[]> {
  const path = join(root, 'beside-spark');
  const options = { folder: path, schema };
  const upserts = await deltaSink<NamedRow>({ ...options, mode: 'upsert', key: ['id'] }).open(CONTEXT);
  const appends = await deltaSink<NamedRow>(options).open({ ...CONTEXT, pipeline: 'appends' });
  const rows = new Map<bigint, string>();
  try {
    const [upserting, appending] = [await upserts.recover(['0']), await appends.recover(['0'])];
    let isOver = false;
    const theirs = python
      .run(WRITE_BESIDE_US_ON_SPARK, {
        input: { jars, path, turns: TURNS, first: THEIR_FIRST, rows: THEIR_ROWS },
        timeoutMilliseconds: SPARK_MS,
      })
      .finally(() => (isOver = true));
    const upsert = async () => {
      for (let turn = 0; !isOver; turn++) {
        const changed = Array.from({ length: 5 }, (_, index) => ({
          id: BigInt((turn * 5 + index * 3) % KEYS),
          name: `ours ${turn}`,
        }));
        const ops = Uint8Array.from(changed, (_, index) => (index === 4 ? Op.delete : Op.updateAfter));
        await commitRows(upserting, changed, ops);
        changed.forEach(({ id, name }, index) => (index === 4 ? rows.delete(id) : rows.set(id, name)));
        await pause();
      }
    };
    const append = async () => {
      for (let id = 10_000n; !isOver; id++) {
        await commitRows(appending, [{ id, name: 'appended' }]);
        rows.set(id, 'appended');
        await pause();
      }
    };
    await Promise.all([theirs, upsert(), append()]);
  } finally {
    await Promise.all([upserts.close(), appends.close()]);
  }
  for (let at = 0; at < TURNS * THEIR_ROWS; at++) {
    const id = BigInt(THEIR_FIRST + at);
    if (id % 7n !== 0n) rows.set(id, id % 5n === 0n ? 'updated' : 'theirs');
  }
  const shown = Array.from(rows, ([id, name]) => ({ id, name }));
  return [{ name: 'written beside Spark', path, rows: shownRows(shown, SHOW) }];
}

const DAY_MS = 86_400_000;

/** While a writer of ours sleeps between its files and its commit, Spark vacuums the table, and cleans up the log. */
export async function asleepThroughSpark(
  root: string,
  python: Python,
  jars: readonly string[],
): Promise<readonly ExpectedTable[]> {
  const path = join(root, 'asleep-through-spark');
  const properties = {
    'delta.checkpointInterval': '4',
    'delta.deletedFileRetentionDuration': 'interval 0 hours',
    'delta.logRetentionDuration': 'interval 1 hours',
  };
  const sink = await deltaSink<NamedRow>({ folder: path, schema, properties }).open(CONTEXT);
  const rows: NamedRow[] = [];
  try {
    const session = await sink.recover(['0']);
    for (let id = 0n; id < 6n; id++) {
      rows.push({ id, name: 'before' });
      await commitRows(session, rows.slice(-1));
    }
    const last = { id: 6n, name: 'asleep' };
    const transaction = await session.begin();
    await transaction.write({ partition: '0', rows: [last] });
    await transaction.prepare();
    await makeOld(join(path, '_delta_log'));
    const inserts = Array.from({ length: 9 }, (_, at) => ({ id: BigInt(1_000 + at), name: 'theirs' }));
    await python.run(RUN_ON_SPARK, {
      input: {
        ...{ jars, path },
        statements: [
          'SET spark.databricks.delta.retentionDurationCheck.enabled = false',
          ...inserts.map(({ id, name }) => `INSERT INTO @table VALUES (${id}, '${name}')`),
          'OPTIMIZE @table',
          'VACUUM @table RETAIN 0 HOURS',
        ],
      },
      timeoutMilliseconds: SPARK_MS,
    });
    rows.push(...inserts);
    if ((await readdir(join(path, '_delta_log'))).includes(`${'1'.padStart(20, '0')}.json`))
      throw new Error('Spark has not cleaned up the log');
    await refused(() =>
      transaction.commit({
        from: session.positions,
        to: new Map([['0', { offset: 7n, source: { kind: 'proof', offset: '7' } }]]),
      }),
    );
    const replacing = new Map([['0', { owners: new Set([session.owner]), epoch: 6n }]]);
    await commitRows(await sink.recover(['0'], { replacing }), [last]);
    rows.push(last);
  } finally {
    await sink.close();
  }
  return [{ name: 'asleep through the clean-ups of Spark', path, rows: shownRows(rows, SHOW) }];
}

async function makeOld(folder: string): Promise<void> {
  const time = new Date(Date.now() - 3 * DAY_MS);
  for (const name of await readdir(folder)) await utimes(join(folder, name), time, time);
}

/** The files of the transaction are gone: nothing of it may become visible, and its rows may be written again. */
async function refused(commit: () => Promise<void>): Promise<void> {
  const failure = await commit().then(
    () => undefined,
    (error: unknown) => error,
  );
  if (isEosError(failure, 'EOS_UNAVAILABLE') && failure.retryable && failure.outcome === 'aborted') return;
  throw new Error(`the commit of a vacuumed transaction was not refused: ${String(failure)}`);
}
