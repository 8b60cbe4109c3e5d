/**
 * Files of 64 MB on their way into the bucket. Ours is what the sink does with the bytes of a file once they are encoded: an upload in
 * parts with digests, its completion, and the entry of the log that commits it. The baseline is `Upload` of the official client with the
 * same bytes, part size and number of parts at a time. What encoding costs is reported apart, and so is the sink as a whole, which
 * encodes while it uploads.
 */
import { randomUUID } from 'node:crypto';
import { Upload } from '@aws-sdk/lib-storage';
import { S3Client } from '@aws-sdk/client-s3';
import { memoryBucket, memoryObjectStore } from '@eos/object-store';
import { s3ObjectStore } from '@eos/object-store/s3';
import type { BenchCase } from '../cases/case.js';
import { interleave } from '../interleave.js';
import { measurement, ratioAtLeast, type Measurement } from '../measurement.js';
import { elapsed, processorTime } from '../processor-time.js';
import { makeRows, type BenchRow } from '../rows.js';
import { extent, median } from '../statistics.js';
import type { S3Laboratory } from './laboratory.js';
import { commitRows, s3BenchSink, withSession, type BenchSinkOptions } from './ours.js';

const MEGABYTE = 1_000_000;
const FILE_BYTES = 64 * MEGABYTE;
const QUICK_BYTES = 9 * MEGABYTE;
const PART_BYTES = 8 * 2 ** 20;
const PARALLEL_PARTS = 4;
/** What an encoder hands on at a time. */
const CHUNK_BYTES = 64 * 2 ** 10;

type Format = Pick<BenchSinkOptions, 'format' | 'compression'>;

interface Run {
  readonly seconds: number;
  readonly processor: number;
}

export function bytesCase(name: 'ndjson-gzip' | 'parquet', format: Format): BenchCase<S3Laboratory> {
  const upload = `s3/${name}/bytes/vs-upload`;
  const whole = `s3/${name}/bytes/with-encoding`;
  return {
    names: [upload, whole],
    async measure(laboratory) {
      const { body, rows, seconds } = await encodedFile(laboratory, format);
      const encoding = { 'file, MB': body.length / MEGABYTE, 'encoding alone, MB/s': rateOf(body, seconds) };
      const lines: Measurement[] = [];
      const baseline = () => uploadWithClient(laboratory, body);
      if (laboratory.wants(upload))
        lines.push(
          await compare(laboratory, upload, body, encoding, () => storeAndCommit(laboratory, body), baseline),
        );
      if (laboratory.wants(whole))
        lines.push(
          await compare(
            laboratory,
            whole,
            body,
            encoding,
            () => writeRows(laboratory, format, rows),
            baseline,
          ),
        );
      return lines;
    },
  };
}

interface Encoded {
  readonly body: Uint8Array;
  readonly rows: readonly BenchRow[];
  /** What it took to encode it, into memory. */
  readonly seconds: number;
}

/** The bytes of a file as the sink makes it, and the rows that it is made of. */
async function encodedFile({ options, progress }: S3Laboratory, format: Format): Promise<Encoded> {
  const wanted = options.quick ? QUICK_BYTES : FILE_BYTES;
  const probe = makeRows(100_000);
  const perRow = (await encode(format, probe)).body.length / probe.length;
  progress(`making ${Math.ceil(wanted / perRow)} rows`);
  const rows = makeRows(Math.ceil(wanted / perRow));
  return { rows, ...(await encode(format, rows)) };
}

async function encode(format: Format, rows: readonly BenchRow[]): Promise<Omit<Encoded, 'rows'>> {
  const bucket = memoryBucket();
  const connector = s3BenchSink({ store: memoryObjectStore(bucket), ...format });
  return await withSession(connector, async (session) => {
    const start = performance.now();
    await commitRows(session, rows);
    const seconds = (performance.now() - start) / 1000;
    const files = [...bucket.objects].filter(([key]) => !key.startsWith('_eos/'));
    const [, file] = files[0] ?? [];
    if (file === undefined || files.length > 1) throw new Error(`${files.length} files were made, not one`);
    return { body: file.body, seconds };
  });
}

async function compare(
  laboratory: S3Laboratory,
  name: string,
  body: Uint8Array,
  encoding: Record<string, number>,
  ours: () => Promise<void>,
  baseline: () => Promise<void>,
): Promise<Measurement> {
  const { options } = laboratory;
  const side = (label: string, work: () => Promise<void>) => ({
    name: label,
    run: async () => {
      await laboratory.settle();
      return await timed(work);
    },
  });
  const results = await interleave<Run>([side('ours', ours), side('baseline', baseline)], {
    runs: options.runs,
    warmUp: !options.quick,
    onRun: (label, run, { seconds }) =>
      laboratory.progress(`${name} run ${run}: ${label} ${Math.round(rateOf(body, seconds))} MB/s`),
  });
  const of = (label: string) => results.get(label) ?? [];
  const rates = (label: string) => of(label).map(({ seconds }) => rateOf(body, seconds));
  const [mine, theirs] = [rates('ours'), rates('baseline')];
  return measurement({
    name,
    ours: median(mine),
    baseline: median(theirs),
    unit: 'MB/s',
    runs: mine.length,
    ...(name.endsWith('vs-upload') ? { target: ratioAtLeast(0.9) } : {}),
    details: {
      ...encoding,
      'ours, least and most': extent(mine),
      'baseline, least and most': extent(theirs),
      'ratio by pairs, median': median(mine.map((rate, run) => rate / (theirs[run] ?? rate))),
      'ours, CPU s': median(of('ours').map(({ processor }) => processor)),
      'baseline, CPU s': median(of('baseline').map(({ processor }) => processor)),
    },
  });
}

async function timed(work: () => Promise<void>): Promise<Run> {
  const before = await processorTime(undefined);
  const start = performance.now();
  await work();
  const seconds = (performance.now() - start) / 1000;
  return { seconds, processor: elapsed(before, await processorTime(undefined)).client };
}

/** From a new client to the acknowledged entry of the log. */
async function storeAndCommit({ server, near, freshPrefix }: S3Laboratory, body: Uint8Array): Promise<void> {
  const store = s3ObjectStore({
    bucket: server.bucket,
    client: near,
    partBytes: PART_BYTES,
    parallelParts: PARALLEL_PARTS,
  });
  const prefix = freshPrefix();
  const upload = await store.createUpload(`${prefix}/${randomUUID()}`);
  for (let start = 0; start < body.length; start += CHUNK_BYTES)
    await upload.write(body.subarray(start, start + CHUNK_BYTES));
  await store.complete(await upload.seal(), { isKeyUnique: true });
  const entry = Buffer.from(JSON.stringify({ prefix }).padEnd(1_000));
  const put = await store.put(`${prefix}/_eos/log/0.json`, entry, { condition: { ifAbsent: true } });
  if (!put.stored) throw new Error('the entry was not stored');
  await store.close();
}

async function writeRows(laboratory: S3Laboratory, format: Format, rows: readonly BenchRow[]): Promise<void> {
  const { server, near, freshPrefix } = laboratory;
  const connector = s3BenchSink({
    bucket: server.bucket,
    client: near,
    partBytes: PART_BYTES,
    parallelParts: PARALLEL_PARTS,
    prefix: freshPrefix(),
    ...format,
  });
  await withSession(connector, (session) => commitRows(session, rows));
}

async function uploadWithClient(
  { server, near, freshPrefix }: S3Laboratory,
  body: Uint8Array,
): Promise<void> {
  const client = new S3Client(near);
  const params = { Bucket: server.bucket, Key: `${freshPrefix()}/${randomUUID()}`, Body: body };
  await new Upload({ client, params, partSize: PART_BYTES, queueSize: PARALLEL_PARTS }).done();
  client.destroy();
}

function rateOf(body: Uint8Array, seconds: number): number {
  return body.length / MEGABYTE / seconds;
}
