/**
 * A writer dies at every request that it makes to the store, in every way that a request can end: never sent, sent without an answer, and
 * sent long after a successor has taken over. The successor must end with every row once, by every reader.
 */
import { memoryBucket, memoryObjectStore, type MemoryBucket, type ObjectStore } from '@eos/object-store';
import { openParquet } from '@eos/parquet';
import { rowSchema, t, type Position, type SinkConnector } from '@eos/core';
import { describe, expect, test } from '@jest/globals';
import { deltaSink } from './index.js';
import { readTable } from './log/read-table.js';
import { liveFiles } from './reading.testing.js';
import { withRequests, type StoreRequest } from './troubled-store.testing.js';

const schema = rowSchema({ id: t.int64(), city: t.string() });
const CONTEXT = { pipeline: 'pipeline', sink: 'sink' };
const PREFIX = 'table/';
const PARTITIONS = ['a', 'b'] as const;
/** So many rows of each partition, of which a commit takes some; with a checkpoint every three versions. */
const ROWS = 9n;
const ROWS_PER_COMMIT = 3n;
const ENDS = ['never sent', 'sent without an answer', 'sent behind the successor'] as const;

function sinkOn(store: ObjectStore): SinkConnector<{ id: bigint; city: string }> {
  const properties = { 'delta.checkpointInterval': '3' };
  return deltaSink({ store, path: 'table', schema, partitionBy: ['city'], properties });
}

/** Copies the source, from where the destination says, to its end. */
async function run(store: ObjectStore, onCommit: () => Promise<void> = async () => undefined): Promise<void> {
  const sink = await sinkOn(store).open(CONTEXT);
  const session = await sink.recover([...PARTITIONS]);
  for (;;) {
    const from = new Map<string, Position>();
    const to = new Map<string, { offset: bigint; source: { kind: string; offset: string } }>();
    const transaction = await session.begin();
    for (const [index, partition] of PARTITIONS.entries()) {
      const position = session.positions.get(partition);
      const start = position?.offset ?? 0n;
      const end = start + ROWS_PER_COMMIT;
      if (position === undefined || start >= ROWS) continue;
      await transaction.write({ partition, rows: rowsOf(index, start, end) });
      from.set(partition, position);
      to.set(partition, { offset: end, source: { kind: 'test', offset: end.toString() } });
    }
    if (to.size === 0) break;
    await transaction.prepare();
    await transaction.commit({ from, to });
    await onCommit();
  }
  await sink.close();
}

function rowsOf(partition: number, start: bigint, end: bigint): { id: bigint; city: string }[] {
  return Array.from({ length: Number(end - start) }, (_, index) => ({
    id: BigInt(partition) * 100n + start + BigInt(index),
    city: index % 2 === 0 ? 'Köln/1' : 'Paris 100%',
  }));
}

const EXPECTED_IDS = PARTITIONS.flatMap((_, index) => rowsOf(index, 0n, ROWS).map(({ id }) => id));

/** Every request of a run that nothing troubles. */
async function requestsOfRun(): Promise<readonly string[]> {
  const requests: string[] = [];
  const store = withRequests(memoryObjectStore(), (request, send) => {
    if (!isProbe(request)) requests.push(nameOf(request));
    return send();
  });
  await run(store);
  return requests;
}

/** The look whether the store compares, once for each store: it is no part of the table. */
function isProbe({ key }: StoreRequest): boolean {
  return key.includes('_eos/probe/');
}

function nameOf({ call, key }: StoreRequest): string {
  return `${call} ${key.replace(/part-[0-9a-f-]{36}/, 'part')}`;
}

/** Runs until request number `count`, which ends as told; nothing comes of any later one. Returns what arrives late. */
async function dieAt(
  bucket: MemoryBucket,
  count: number,
  end: (typeof ENDS)[number],
): Promise<() => Promise<unknown>> {
  let requests = 0;
  let late: () => Promise<unknown> = async () => undefined;
  await new Promise<void>((resolve, reject) => {
    const store = withRequests(memoryObjectStore(bucket), async (request, send) => {
      if (isProbe(request)) return await send();
      requests += 1;
      if (requests < count) return await send();
      if (requests === count) {
        if (end === 'sent without an answer') await send();
        if (end === 'sent behind the successor') late = send;
        resolve();
      }
      return await new Promise<never>(() => undefined);
    });
    run(store).then(() => reject(new Error(`the run ended before request ${count}`)), reject);
  });
  return late;
}

async function idsByReplay(store: ObjectStore): Promise<bigint[]> {
  const ids: bigint[] = [];
  for (const path of await liveFiles(store, PREFIX)) {
    const found = await store.get(`${PREFIX}${path}`);
    if (found === undefined) throw new Error(`${path} is in the log, and not there`);
    const { body } = found;
    const file = await openParquet({
      size: body.length,
      read: async (start, end) => body.subarray(start, end),
    });
    for await (const { rows } of file.rows(rowSchema({ id: t.int64() })))
      ids.push(...rows.map(({ id }) => id));
  }
  return ids.sort((left, right) => Number(left - right));
}

/** What the last checkpoint and the commits behind it say is what all commits say. */
async function expectSameByCheckpoint(store: ObjectStore): Promise<void> {
  const { state } = await readTable(store, { prefix: PREFIX });
  const { adds } = await state.files.current();
  const paths = [...adds.keys()].map(decodeURIComponent).sort();
  expect(paths).toEqual([...(await liveFiles(store, PREFIX))].sort());
}

describe('a writer that dies', () => {
  test('at any request, with whatever becomes of it, leaves a table that a successor completes', async () => {
    const requests = await requestsOfRun();
    const kinds = new Set(requests.map((name) => name.replace(/\d{20}/, 'N').replace(/\d{20}/, 'N')));
    expect([...kinds]).toEqual(
      expect.arrayContaining([
        'put table/_delta_log/N.json',
        'put table/_delta_log/N.checkpoint.parquet',
        'put table/_delta_log/_last_checkpoint',
        'put table/city=Paris%20100%25/part.snappy.parquet',
      ]),
    );
    for (const end of ENDS) {
      for (let count = 1; count <= requests.length; count++) {
        const place = `${end}: request ${count}, ${String(requests[count - 1])}`;
        const bucket = memoryBucket();
        const late = await dieAt(bucket, count, end);
        const store = memoryObjectStore(bucket);
        let commits = 0;
        await run(store, async () => {
          commits += 1;
          if (commits === 2) await late();
        });
        // The dead one's request may come even behind the end.
        if (commits < 2) await late();
        expect({ place, ids: await idsByReplay(store) }).toEqual({ place, ids: EXPECTED_IDS });
        await expectSameByCheckpoint(store);
      }
    }
  }, 120_000);
});
