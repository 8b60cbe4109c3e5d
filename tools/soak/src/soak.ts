/** A real server and real writers for as long as asked, while faults strike one after the other; then every row is looked at. */
import { setTimeout as delay } from 'node:timers/promises';
import { startPostgres } from '@eos/services';
import { Random } from '@eos/simulation';
import { tcpProxy } from '@eos/testkit';
import { Client } from 'pg';
import { FAULTS } from './faults.js';
import { checkTable, type TableCheck } from './found.js';
import { HEAP, HOT_TABLE, keptPositions, positionsSize, Samples, type Gauge } from './gauges.js';
import { strike } from './strike.js';
import { GROUPS, MODES, type Group, type Task } from './task.js';
import { Writers, type Totals } from './writers.js';

export interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  /** Changes a second of each of the pipelines. */
  readonly rate: number;
  /** Told now and then how far it is. */
  readonly onProgress: (line: string) => void;
}

export interface SoakResult {
  readonly faults: ReadonlyMap<string, number>;
  readonly totals: Totals;
  readonly tables: readonly TableCheck[];
  readonly gauges: readonly Gauge[];
  readonly positions: { readonly found: number; readonly most: number };
  readonly problems: readonly string[];
}

const GAUGE_MS = 2_000;

export async function soak(options: SoakOptions): Promise<SoakResult> {
  const server = await startPostgres();
  const proxy = await tcpProxy(server);
  const url = new URL(server.url);
  url.host = `${proxy.host}:${proxy.port}`;
  const memory = new Samples('memory of a writer that is never killed', HEAP);
  const task = { url: url.href, startedAt: Date.now(), rate: options.rate };
  const writers = new Writers<Group>({
    names: GROUPS,
    file: new URL('./writer.js', import.meta.url),
    taskOf: (group): Task => ({ ...task, group }),
    onNews: (group, { rssBytes }) => {
      if (group === 'steady') memory.add(rssBytes);
    },
  });
  try {
    const bloat = watchPositions(server.url);
    const stage = { random: new Random(options.seed), server, proxy, writers };
    const faults = await strike(stage, FAULTS, options);
    const gauges = [memory.gauge(), ...(await bloat.stop())];
    const stops = await writers.stop();
    const problems = [
      ...writers.problems,
      ...stops.flatMap(({ code, output }) =>
        code === 0 ? [] : [`a writer that was stopped ended by code ${String(code)}: ${output}`],
      ),
      ...(stops.length < GROUPS.length ? ['a writer that was stopped did not end'] : []),
    ];
    const found = await lookAt(server.url);
    return { faults, totals: writers.totals, gauges, problems, ...found };
  } finally {
    await writers.kill();
    await proxy.close();
    await server.stop();
  }
}

function watchPositions(url: string) {
  const [table, indexes] = [
    new Samples('eos.positions, table', HOT_TABLE),
    new Samples('eos.positions, indexes', HOT_TABLE),
  ];
  const stopping = new AbortController();
  const watching = (async () => {
    while (!stopping.signal.aborted) {
      const size = await positionsSize(url);
      if (size !== undefined) {
        table.add(size.table);
        indexes.add(size.indexes);
      }
      await delay(GAUGE_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  })();
  return {
    stop: async () => {
      stopping.abort();
      await watching;
      return [table.gauge(), indexes.gauge()];
    },
  };
}

async function lookAt(url: string): Promise<Pick<SoakResult, 'tables' | 'positions'>> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const tables: TableCheck[] = [];
    for (const group of GROUPS) for (const mode of MODES) tables.push(await checkTable(client, group, mode));
    return { tables, positions: await keptPositions(client) };
  } finally {
    await client.end();
  }
}
