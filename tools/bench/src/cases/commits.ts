/** What one commit costs: its round trips, its latency, and both on a server that is further away. */
import { copyTransactions } from '../baselines/transactions.js';
import { copyInTurn } from '../baselines/copy.js';
import { openDistance, type Distance } from '../distance.js';
import { interleave } from '../interleave.js';
import type { Laboratory } from '../laboratory.js';
import { measurement, type Measurement } from '../measurement.js';
import { commitAlone, runPipeline } from '../ours.js';
import { median, percentile } from '../statistics.js';
import { throughput } from '../throughput.js';
import type { BenchCase } from './case.js';

const MODES = ['append', 'upsert'] as const;
type Mode = (typeof MODES)[number];

/** Counted on the wire, from the first commit to the last of one run, the set-up of its connections taken off. */
export function roundTripCase(): BenchCase {
  const name = (mode: Mode) => `postgres/${mode}/round-trips-per-commit`;
  const rowsPerCommit = 500;
  return {
    names: MODES.map(name),
    async measure(laboratory) {
      const rows = laboratory.rows().slice(0, 100 * rowsPerCommit);
      const few = rows.slice(0, rowsPerCommit);
      const commits = Math.ceil(rows.length / rowsPerCommit) - 1;
      return await far(laboratory, 0, async (distance) => {
        const count = async (work: (table: string) => Promise<void>, primaryKey: boolean) => {
          const table = laboratory.freshName('bench');
          await laboratory.createTable(table, { primaryKey });
          const before = await distance.statistics();
          await work(table);
          const after = await distance.statistics();
          await laboratory.dropTable(table);
          return after.roundTrips - before.roundTrips;
        };
        const { url } = distance;
        const measurements: Measurement[] = [];
        for (const mode of MODES) {
          const ours = async (part: typeof rows) =>
            await count(
              (table) => runPipeline({ url, table, pipeline: table, rows: part, mode, rowsPerCommit }),
              mode === 'upsert',
            );
          const theirs = async (part: typeof rows) =>
            await count((table) => copyInTurn({ url, table, rows: part, rowsPerCommit }), mode === 'upsert');
          measurements.push(
            measurement({
              name: name(mode),
              ours: ((await ours(rows)) - (await ours(few))) / commits,
              baseline: ((await theirs(rows)) - (await theirs(few))) / commits,
              unit: 'round trips',
              runs: 1,
              details: { commits },
            }),
          );
        }
        return measurements;
      });
    },
  };
}

/** From the call of `commit` to its answer, one transaction after the other; the baseline is a bare COMMIT. */
export function commitLatencyCase(latencyMs: number): BenchCase {
  const place = latencyMs === 0 ? '' : `/rtt=${latencyMs}ms`;
  const names = ['p50', 'p99'].map((share) => `postgres/append/commit-latency${place}/${share}`);
  const rowsPerCommit = 500;
  return {
    names,
    async measure(laboratory) {
      const commits = laboratory.options.quick ? 5 : latencyMs >= 50 ? 100 : 500;
      const all = laboratory.rows();
      const rows = all.slice(0, Math.min(commits * rowsPerCommit, all.length));
      return await far(laboratory, latencyMs, async ({ url }) => {
        const side = (name: string, write: typeof copyTransactions) => ({
          name,
          run: async () => {
            const table = laboratory.freshName('bench');
            await laboratory.createTable(table);
            const times: number[] = [];
            await laboratory.timed(() =>
              write({
                url,
                table,
                rows,
                rowsPerCommit,
                onCommit: (milliseconds) => times.push(milliseconds),
              }),
            );
            await laboratory.dropTable(table);
            return times;
          },
        });
        const results = await interleave(
          [
            side('port', (options) =>
              commitAlone({ ...options, pipeline: options.table, mode: 'append' }, options.onCommit),
            ),
            side('copy', copyTransactions),
          ],
          { runs: laboratory.options.runs, warmUp: !laboratory.options.quick },
        );
        const { runs } = laboratory.options;
        return [0.5, 0.99].map((share, index) => {
          const of = (name: string) =>
            median((results.get(name) ?? []).map((times) => percentile(times, share)));
          return measurement({
            name: names[index] ?? '',
            ours: of('port'),
            baseline: of('copy'),
            unit: 'ms',
            runs,
            details: { 'commits a run': commits },
          });
        });
      });
    },
  };
}

/** The throughput of the same work where the server is further away. */
export function distanceCase(mode: Mode, latencyMs: number): BenchCase {
  const rowsPerCommit = 5_000;
  const name = `postgres/${mode === 'upsert' ? 'upsert-new' : mode}/commit=${rowsPerCommit}/rtt=${latencyMs}ms/vs-copy`;
  return {
    names: [name],
    async measure(laboratory) {
      const rows = laboratory.rows().slice(0, latencyMs >= 50 ? 200_000 : 500_000);
      return await far(laboratory, latencyMs, ({ url }) =>
        throughput(laboratory, {
          changes: rows.length,
          comparisons: [{ name, ours: 'pipeline', baseline: 'copy' }],
          writers: [
            {
              name: 'pipeline',
              primaryKey: mode === 'upsert',
              after: rows.length,
              write: (place) => runPipeline({ url, ...place, rows, mode, rowsPerCommit }),
            },
            {
              name: 'copy',
              primaryKey: false,
              after: rows.length,
              write: ({ table }) => copyInTurn({ url, table, rows, rowsPerCommit }),
            },
          ],
        }),
      );
    },
  };
}

async function far<Result>(
  { url }: Laboratory,
  latencyMs: number,
  work: (distance: Distance) => Promise<Result>,
): Promise<Result> {
  const distance = await openDistance(url);
  try {
    distance.setLatency(latencyMs);
    return await work(distance);
  } finally {
    await distance.close();
  }
}
