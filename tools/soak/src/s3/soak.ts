/** A real object store and four writers for as long as asked, while faults strike one after the other; then every row is looked at. */
import { s3ObjectStore } from '@eos/object-store/s3';
import { startS3 } from '@eos/services';
import { Random } from '@eos/simulation';
import { tcpProxy } from '@eos/testkit';
import type { TableCheck } from '../found.js';
import { HEAP, Samples, type Gauge } from '../gauges.js';
import { strike, type StrikeOptions } from '../strike.js';
import { Writers, type Totals } from '../writers.js';
import { S3_FAULTS } from './faults.js';
import { checkListing, checkTable, claimAll } from './found.js';
import { watchListing } from './lister.js';
import { maintain, type Maintenance } from './maintenance.js';
import { attemptsOf, STEADY, TABLES, WRITERS, type S3Task, type WriterName } from './task.js';

export interface S3SoakOptions extends StrikeOptions {
  readonly seed: number;
  /** Changes a second of each of the eight pipelines. */
  readonly rate: number;
}

export interface S3SoakResult {
  readonly faults: ReadonlyMap<string, number>;
  readonly totals: Totals;
  readonly tables: readonly TableCheck[];
  readonly gauges: readonly Gauge[];
  readonly maintenance: Maintenance['counts'];
  /** How often the listing was looked at, and what was wrong with it. */
  readonly listing: { readonly looks: number; readonly problems: readonly string[] };
  readonly problems: readonly string[];
}

export async function soakS3(options: S3SoakOptions): Promise<S3SoakResult> {
  const server = await startS3({ program: 'versitygw' });
  const { endpoint, region, accessKeyId, secretAccessKey, bucket } = server;
  const { hostname, port } = new URL(endpoint);
  const proxy = await tcpProxy({ host: hostname, port: Number(port) });
  const access = { region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } } as const;
  const store = s3ObjectStore({ bucket, client: { ...access, endpoint } });
  const memory = new Samples('memory of a writer that is never killed', HEAP);
  const client = { ...access, endpoint: `http://${proxy.host}:${proxy.port}` };
  const task = { bucket, startedAt: Date.now(), rate: options.rate };
  const writers = new Writers<WriterName>({
    names: WRITERS,
    file: new URL('./writer.js', import.meta.url),
    taskOf: (writer): S3Task => ({
      ...task,
      writer,
      client: { ...client, maxAttempts: attemptsOf(writer) },
    }),
    onNews: (writer, { rssBytes }) => {
      if (writer === STEADY) memory.add(rssBytes);
    },
  });
  const maintenance = maintain(store);
  const lister = watchListing(store, 'listed/');
  try {
    const faults = await strike(
      { random: new Random(options.seed), server, proxy, writers },
      S3_FAULTS,
      options,
    );
    const gauges = [memory.gauge()];
    const stops = await writers.stop();
    await maintenance.stop();
    for (const table of TABLES) await claimAll(store, table);
    await lister.stop();
    const tables: TableCheck[] = [];
    for (const table of TABLES) tables.push(...(await checkTable(store, table)));
    const problems = [
      ...writers.problems,
      ...maintenance.problems,
      ...stops.flatMap(({ code, output }) =>
        code === 0 ? [] : [`a writer that was stopped ended by code ${String(code)}: ${output}`],
      ),
      ...(stops.length < WRITERS.length ? ['a writer that was stopped did not end'] : []),
    ];
    const listing = { looks: lister.looks, problems: await checkListing(lister) };
    return {
      faults,
      totals: writers.totals,
      tables,
      gauges,
      maintenance: maintenance.counts,
      listing,
      problems,
    };
  } finally {
    await Promise.all([maintenance.stop(), lister.stop().catch(() => undefined)]);
    await writers.kill();
    await store.close();
    await proxy.close();
    await server.stop();
  }
}
