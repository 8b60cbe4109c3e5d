/**
 * A claim on a table that has had many commits, by a process that knows nothing of it yet. The log is made by the sink, in memory, and laid
 * into the folder that the server keeps the bucket in.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { memoryBucket, memoryObjectStore, type MemoryBucket } from '@eos/object-store';
import { s3ObjectStore } from '@eos/object-store/s3';
import type { SinkSession } from '@eos/core';
import type { BenchCase } from '../cases/case.js';
import { measurement, type Measurement } from '../measurement.js';
import type { BenchRow } from '../rows.js';
import { extent, median } from '../statistics.js';
import { countingClient, type S3Laboratory } from './laboratory.js';
import { CONTEXT, s3BenchSink, withSession } from './ours.js';

const COMMITS = [10, 1_000, 100_000];
const QUICK_COMMITS = 500;
const RUNS = 20;

const nameOf = (commits: number, what: 'requests' | 'time') => `s3/recover/commits=${commits}/${what}`;

export function recoverCase(): BenchCase<S3Laboratory> {
  return {
    names: COMMITS.flatMap((commits) => [nameOf(commits, 'requests'), nameOf(commits, 'time')]),
    async measure(laboratory) {
      const lines: Measurement[] = [];
      for (const commits of COMMITS) {
        if (!laboratory.wants(nameOf(commits, 'requests')) && !laboratory.wants(nameOf(commits, 'time')))
          continue;
        const count = laboratory.options.quick ? Math.min(commits, QUICK_COMMITS) : commits;
        lines.push(...(await recoverAfter(laboratory, commits, count)));
      }
      return lines;
    },
  };
}

async function recoverAfter(
  laboratory: S3Laboratory,
  commits: number,
  count: number,
): Promise<Measurement[]> {
  const { server, near, freshPrefix, options, progress } = laboratory;
  if (server.directory === undefined) throw new Error('the server keeps its objects nowhere');
  const prefix = freshPrefix();
  progress(`making ${count} commits`);
  await layOut(await bucketOf(prefix, count), server.directory);
  const { client, count: sent } = countingClient(near);
  const store = s3ObjectStore({ bucket: server.bucket, client });
  const requests: number[] = [];
  const taken: number[] = [];
  // The first one looks whether the store compares, and does not count.
  const runs = options.quick ? 2 : RUNS;
  for (let run = 0; run <= runs; run++) {
    const before = sent();
    const start = performance.now();
    const sink = await s3BenchSink({ store, prefix }).open(CONTEXT);
    const { positions } = await sink.recover(['0']);
    taken.push(performance.now() - start);
    requests.push(sent() - before);
    await sink.close();
    if (positions.get('0')?.epoch !== BigInt(count)) throw new Error('the position is another one');
  }
  client.destroy();
  const line = (what: 'requests' | 'time', values: readonly number[], unit: string) =>
    measurement({
      name: nameOf(commits, what),
      ours: median(values.slice(1)),
      unit,
      runs,
      details: { commits: count, 'least and most': extent(values.slice(1)) },
    });
  return [line('requests', requests, 'requests'), line('time', taken, 'ms')];
}

/** A log of commits that move the position, as many as asked for. */
async function bucketOf(prefix: string, commits: number): Promise<MemoryBucket> {
  const bucket = memoryBucket();
  await withSession(s3BenchSink({ store: memoryObjectStore(bucket), prefix }), async (session) => {
    for (let commit = 1; commit <= commits; commit++) await move(session, commit);
  });
  return bucket;
}

async function move(session: SinkSession<BenchRow>, offset: number): Promise<void> {
  const from = new Map(session.positions);
  const transaction = await session.begin();
  await transaction.prepare();
  await transaction.commit({
    from,
    to: new Map([['0', { offset: BigInt(offset), source: { kind: 'benchmark' } }]]),
  });
}

const AT_ONCE = 64;

async function layOut({ objects }: MemoryBucket, folder: string): Promise<void> {
  const all = [...objects];
  for (let start = 0; start < all.length; start += AT_ONCE)
    await Promise.all(
      all.slice(start, start + AT_ONCE).map(async ([key, { body }]) => {
        const path = join(folder, key);
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, body);
      }),
    );
}
