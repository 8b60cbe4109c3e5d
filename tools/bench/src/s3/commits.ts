/** A commit by itself: how many requests it takes, and how long, near and far. */
import { PutObjectCommand, S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import type { BenchCase } from '../cases/case.js';
import { measurement, oursAtMost, type Measurement } from '../measurement.js';
import { makeRows, type BenchRow } from '../rows.js';
import { median, percentile } from '../statistics.js';
import { countingClient, type S3Laboratory } from './laboratory.js';
import { commitRows, s3BenchSink, withSession } from './ours.js';

const REQUESTS = 's3/requests-per-commit';
const LATENCY = 's3/commit-latency';
const PART_BYTES = 8 * 2 ** 20;
/** A window of the log: its last commit writes a checkpoint, which counts too. */
const WINDOW = 64;

interface Shape {
  readonly name: string;
  readonly files: number;
  readonly partsOfEach: number;
}

const SHAPES: readonly Shape[] = [
  { name: 'one-small-file', files: 1, partsOfEach: 1 },
  { name: 'eight-small-files', files: 8, partsOfEach: 1 },
  { name: 'one-file-of-eight-parts', files: 1, partsOfEach: 8 },
];

/** Parts + 3 × files in parts + files in one piece + the entry of the log. */
function allowed({ files, partsOfEach }: Shape): number {
  return partsOfEach > 1 ? files * (partsOfEach + 3) + 1 : files + 1;
}

export function requestsCase(): BenchCase<S3Laboratory> {
  return {
    names: SHAPES.map(({ name }) => `${REQUESTS}/${name}`),
    async measure(laboratory) {
      const lines: Measurement[] = [];
      for (const shape of SHAPES)
        if (laboratory.wants(`${REQUESTS}/${shape.name}`)) lines.push(await countRequests(laboratory, shape));
      return lines;
    },
  };
}

/** Of commits in a row, each by itself; those of a whole window where commits are small. */
async function countRequests(laboratory: S3Laboratory, shape: Shape): Promise<Measurement> {
  const { server, near, freshPrefix, options } = laboratory;
  const { client, count } = countingClient(near);
  const isLarge = shape.partsOfEach > 1;
  const rows = isLarge ? wideRows(shape.partsOfEach * PART_BYTES) : makeRows(shape.files * 10);
  const roll = isLarge ? {} : { roll: { rows: 10 } };
  const connector = s3BenchSink({
    bucket: server.bucket,
    client,
    partBytes: PART_BYTES,
    prefix: freshPrefix(),
    ...roll,
  });
  const commits = isLarge || options.quick ? 3 : WINDOW;
  const counts = await withSession(connector, async (session) => {
    const each: number[] = [];
    for (let commit = 0; commit < commits; commit++) {
      const before = count();
      await commitRows(session, rows);
      each.push(count() - before);
    }
    return each;
  });
  client.destroy();
  return measurement({
    name: `${REQUESTS}/${shape.name}`,
    ours: median(counts),
    baseline: allowed(shape),
    unit: 'requests',
    runs: commits,
    target: oursAtMost(allowed(shape)),
    details: { 'with checkpoints, mean': counts.reduce((sum, one) => sum + one, 0) / counts.length },
  });
}

/** NDJSON of just under so many bytes: the last part is not full. */
function wideRows(bytes: number): BenchRow[] {
  const note = 'x'.repeat(100_000);
  return makeRows(Math.floor((bytes - 1_000_000) / 100_150)).map((row) => ({ ...row, note }));
}

const COMMITS = 200;
/** The first commits find their program not yet compiled. */
const WARM_UP = 20;
const ROUND_TRIPS_MS = [0, 50] as const;

export function latencyCase(): BenchCase<S3Laboratory> {
  const nameOf = (rtt: number, share: number) =>
    `${LATENCY}/${rtt === 0 ? '' : `rtt=${rtt}ms/`}p${share * 100}`;
  const shares = [0.5, 0.99];
  return {
    names: ROUND_TRIPS_MS.flatMap((rtt) => shares.map((share) => nameOf(rtt, share))),
    async measure(laboratory) {
      const { options, distance, near, far } = laboratory;
      const lines: Measurement[] = [];
      for (const rtt of ROUND_TRIPS_MS) {
        if (!shares.some((share) => laboratory.wants(nameOf(rtt, share)))) continue;
        const commits = options.quick ? WARM_UP + 5 : rtt === 0 ? COMMITS : COMMITS / 2;
        distance.setLatency(rtt);
        const client = rtt === 0 ? near : far;
        const ours = await commitsOf(laboratory, client, commits);
        const theirs = await putsOf(laboratory, client, commits);
        distance.setLatency(0);
        for (const share of shares) {
          const of = (taken: readonly number[]) => percentile(taken.slice(WARM_UP), share);
          lines.push(
            measurement({
              name: nameOf(rtt, share),
              ours: of(ours),
              baseline: of(theirs),
              unit: 'ms',
              runs: commits - WARM_UP,
            }),
          );
        }
      }
      return lines;
    },
  };
}

/** Commits of ten rows, one after the other. */
async function commitsOf(
  { server, freshPrefix, settle }: S3Laboratory,
  client: S3ClientConfig,
  commits: number,
): Promise<number[]> {
  const rows = makeRows(10);
  const connector = s3BenchSink({ bucket: server.bucket, client, prefix: freshPrefix() });
  await settle();
  return await withSession(connector, async (session) => {
    const taken: number[] = [];
    for (let commit = 0; commit < commits; commit++) {
      const start = performance.now();
      await commitRows(session, rows);
      taken.push(performance.now() - start);
    }
    return taken;
  });
}

/** By hand: a file, and behind it an object that names it and must not be there yet. */
async function putsOf(
  { server, freshPrefix, settle }: S3Laboratory,
  config: S3ClientConfig,
  commits: number,
): Promise<number[]> {
  const client = new S3Client(config);
  const [prefix, body] = [freshPrefix(), Buffer.alloc(1_000)];
  const taken: number[] = [];
  await settle();
  for (let commit = 0; commit < commits; commit++) {
    const start = performance.now();
    const where = { Bucket: server.bucket, Body: body };
    await client.send(new PutObjectCommand({ ...where, Key: `${prefix}/${commit}.ndjson` }));
    await client.send(new PutObjectCommand({ ...where, Key: `${prefix}/log/${commit}`, IfNoneMatch: '*' }));
    taken.push(performance.now() - start);
  }
  client.destroy();
  return taken;
}
