/**
 * `recover()` with a long history behind it, while an old snapshot keeps every dead row of that history.
 *
 * The history is made by the function that a commit of the sink calls, in a procedure on the server that commits after each call:
 * every one is a transaction of its own, with its dead rows. Only the wait for the disk is left out (`synchronous_commit` off on that
 * connection). The snapshot is a REPEATABLE READ transaction that has read the positions before the first of them; a second one is
 * opened half-way.
 */
import { postgresSink } from '@eos/postgres';
import { Client } from 'pg';
import type { Laboratory } from '../laboratory.js';
import { measurement, oursAtMost } from '../measurement.js';
import { commit } from '../ours.js';
import { makeRows, schema, type BenchRow } from '../rows.js';
import { extent, median } from '../statistics.js';
import type { Sink, SinkSession } from '@eos/core';
import type { BenchCase } from './case.js';

const CONTEXT = { pipeline: 'long-history', sink: 'bench' };
const RECOVERS_A_RUN = 4;

const HISTORY = `
CREATE PROCEDURE bench_history(a_pipeline text, a_sink text, a_owner bigint, a_epoch bigint, a_format int, a_count bigint)
LANGUAGE plpgsql AS $procedure$
BEGIN
  FOR step IN 0 .. a_count - 1 LOOP
    PERFORM eos.commit_v2(a_pipeline, a_sink, a_owner, step + 1, jsonb_build_array(jsonb_build_object(
      'partition', '0', 'epoch', a_epoch + step, 'next_offset', a_epoch + step + 1, 'format', a_format,
      'source', jsonb_build_object('kind', 'benchmark'))), '{}', '{}');
    COMMIT;
  END LOOP;
END $procedure$`;

export function recoverCase(): BenchCase {
  const name = 'postgres/recover';
  return {
    names: [name],
    measure: (laboratory) =>
      laboratory.withDatabase(async (url) => {
        const connection = { connectionString: url };
        const sink = await postgresSink({ connection, table: 'recovered', schema }).open(CONTEXT);
        const [admin, before, midway] = [
          new Client(connection),
          new Client(connection),
          new Client(connection),
        ];
        const clients = [admin, before, midway];
        await Promise.all(clients.map((client) => client.connect()));
        try {
          const fresh = await recovers(laboratory, sink);
          await admin.query(HISTORY);
          await admin.query('SET synchronous_commit = off');
          const start = performance.now();
          await holdSnapshot(before);
          const { commits } = laboratory.options;
          await makeHistory(admin, Math.floor(commits / 2));
          await holdSnapshot(midway);
          await makeHistory(admin, Math.ceil(commits / 2));
          const seconds = (performance.now() - start) / 1000;
          const late = await recovers(laboratory, sink);
          await checkHistory(admin, commits);
          return [
            measurement({
              name,
              ours: median(late.recover),
              baseline: median(fresh.recover),
              unit: 'ms',
              runs: late.recover.length,
              target: oursAtMost(20),
              details: {
                'least and most': extent(late.recover),
                'commits behind it': commits,
                'seconds to make them': seconds,
                'commit after it, ms': median(late.commit),
                'commit without history, ms': median(fresh.commit),
                'positions, MB': await positionsSize(admin),
              },
            }),
          ];
        } finally {
          await Promise.all(clients.map((client) => client.end()));
          await sink.close();
        }
      }),
  };
}

interface Times {
  readonly recover: readonly number[];
  readonly commit: readonly number[];
}

/** Claims and commits a row, again and again; the first claim warms up. */
async function recovers({ options }: Laboratory, sink: Sink<BenchRow>): Promise<Times> {
  const times = { recover: [] as number[], commit: [] as number[] };
  for (let run = 0; run <= options.runs * RECOVERS_A_RUN; run++) {
    const start = performance.now();
    const session = await sink.recover(['0']);
    const milliseconds = performance.now() - start;
    await commitRow(session, (taken) => {
      if (run > 0) times.commit.push(taken);
    });
    await session.close();
    if (run > 0) times.recover.push(milliseconds);
  }
  return times;
}

async function commitRow(
  session: SinkSession<BenchRow>,
  onCommit: (milliseconds: number) => void,
): Promise<void> {
  const next = Number(session.positions.get('0')?.offset ?? 0n) + 1;
  const transaction = await session.begin();
  await transaction.write({ partition: '0', rows: makeRows(1, { first: next }) });
  await transaction.prepare();
  await commit(session, transaction, next, onCommit);
}

async function holdSnapshot(client: Client): Promise<void> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM eos.positions, eos.claims');
}

async function makeHistory(admin: Client, count: number): Promise<void> {
  const values = [CONTEXT.pipeline, CONTEXT.sink];
  const { rows } = await admin.query<{ owner: string; epoch: string; format: number }>(
    `SELECT c.owner, max(p.epoch) AS epoch, c.format FROM eos.claims c JOIN eos.positions p USING (pipeline, sink, partition)
     WHERE pipeline = $1 AND sink = $2 GROUP BY c.owner, c.format`,
    values,
  );
  const [found] = rows;
  if (found === undefined) throw new Error('there is no position to go on from');
  await admin.query('CALL bench_history($1, $2, $3, $4, $5, $6)', [
    ...values,
    found.owner,
    found.epoch,
    found.format,
    count,
  ]);
}

async function checkHistory(admin: Client, commits: number): Promise<void> {
  const { rows } = await admin.query<{ epoch: string }>('SELECT max(epoch) AS epoch FROM eos.positions');
  if (Number(rows[0]?.epoch) < commits)
    throw new Error(`epoch ${String(rows[0]?.epoch)} after ${commits} commits`);
}

async function positionsSize(admin: Client): Promise<number> {
  const { rows } = await admin.query<{ size: string }>(
    `SELECT pg_total_relation_size('eos.positions') AS size`,
  );
  return Number(rows[0]?.size) / 1e6;
}
