import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { iterableSource, memorySink, memoryStore, pipeline } from '@eos/core';
import { DeltaTable } from '@eos/delta';
import { kafkaSink } from '@eos/kafka';
import { localObjectStore } from '@eos/object-store';
import { openTable } from '@eos/s3';
import { describeWith, describeWithService, missingForKafka, startKafka } from '@eos/services';
import { spawnStoppable } from '@eos/testkit';
import { Client } from 'pg';
import { connectionOf } from '../pipelines.js';
import {
  contextOf,
  DESTINATIONS,
  FROM_PARTITIONS,
  FROM_TOPIC,
  measurementFormat,
  PATH_VARIABLE,
  pathSink,
  pathSource,
  TABLE,
  TO_TOPIC,
  type Measurement,
  type PathTask,
} from './path.js';

/** Programs run what was built: Node 20 cannot read TypeScript. */
const PROGRAM = new URL('../../../dist/kafka/paths/program.js', import.meta.url);
const COUNT = 2_000;
/** What a program may still take to end when its work is done: as long as it takes to close what is open, and no time-out. */
const TO_END_MS = 3_000;
const runner = { describe, beforeAll, afterAll };
const settings = { 'group.min.session.timeout.ms': 1_000 };

describeWith(
  runner,
  'kafka',
  missingForKafka(),
  () => startKafka({ settings }),
  (getKafka) => {
    describeWithService(runner, 'postgres', (getPostgres) => {
      let folder = '';
      beforeAll(async () => {
        folder = await mkdtemp(join(tmpdir(), 'eos-paths-'));
        await fill(getKafka().brokers);
      });
      afterAll(() => rm(folder, { recursive: true, force: true }));

      test.each(DESTINATIONS)(
        'to %s: one of two processes is killed, another comes, each record is there once, and both end by themselves',
        async (to) => {
          const { url } = await getPostgres().createDatabase();
          const task: PathTask = { to, brokers: getKafka().brokers, url, folder };
          // Two that find no table at the same moment are another matter.
          await (await pathSink(task).open(contextOf(task))).close();
          const [killed, second] = [start(task), start(task)];
          await killed.committed;
          await killed.child.kill();
          const third = start(task);
          for (const { child } of [second, third])
            expect(await child.ended).toMatchObject({ code: 0, signal: null, output: '' });
          expect(await idsAt(task)).toEqual(Array.from({ length: COUNT }, (_, id) => id));
          const sink = await pathSink(task).open(contextOf(task));
          const positions = await sink.positions();
          await sink.close();
          expect([...positions.keys()].sort()).toEqual(
            Array.from({ length: FROM_PARTITIONS }, (_, partition) => `${FROM_TOPIC}/${partition}`),
          );
          for (const { offset } of positions.values()) expect(offset).toBeGreaterThan(0n);
        },
        120_000,
      );
    });
  },
);

async function fill(brokers: readonly string[]): Promise<void> {
  const items = Array.from({ length: COUNT }, (_, id) => ({ id: BigInt(id), text: `measurement ${id}` }));
  await pipeline({
    id: 'fill',
    source: iterableSource<Measurement>({ items }),
    sinks: {
      topic: kafkaSink({
        connection: connectionOf(brokers),
        topic: FROM_TOPIC,
        format: measurementFormat,
        create: { partitions: FROM_PARTITIONS },
      }),
    },
    trigger: { rows: 200, intervalMs: 60_000 },
  }).run({ signals: [] });
}

/** One that does not end when its work is done is killed: how it ended tells. */
function start(task: PathTask) {
  let onCommit = () => {};
  const firstCommit = new Promise<void>((resolve) => (onCommit = resolve));
  const child = spawnStoppable({
    file: PROGRAM,
    environment: { [PATH_VARIABLE]: JSON.stringify(task) },
    onMessage: (news) => {
      if (news === 'commit') onCommit();
      if (news === 'done') setTimeout(() => void child.kill(), TO_END_MS).unref();
    },
  });
  // One that finds nothing to commit, or fails, is not to be waited for.
  return { child, committed: Promise.race([firstCommit, child.ended]) };
}

/** What is at the destination, in order: each id as often as it is there. */
async function idsAt(task: PathTask): Promise<number[]> {
  const ids: unknown[] = [];
  for await (const rows of rowsAt(task)) for (const { id } of rows) ids.push(id);
  return ids.map(Number).sort((left, right) => left - right);
}

async function* rowsAt(task: PathTask): AsyncGenerator<readonly { readonly id?: unknown }[]> {
  switch (task.to) {
    case 'kafka': {
      const store = memoryStore<Measurement>();
      await pipeline({
        id: 'reader',
        source: pathSource(task, TO_TOPIC),
        sinks: { memory: memorySink(store) },
      }).run({ signals: [] });
      yield store.rows();
      return;
    }
    case 'postgres': {
      const client = new Client({ connectionString: task.url });
      await client.connect();
      try {
        yield (await client.query<{ id: string }>(`SELECT id FROM ${TABLE}`)).rows;
      } finally {
        await client.end();
      }
      return;
    }
    case 's3': {
      const store = localObjectStore({ root: join(task.folder, 's3') });
      yield* (await openTable(store, TABLE)).rows();
      await store.close();
      return;
    }
    case 'delta': {
      const table = await DeltaTable.open({ folder: join(task.folder, 'delta'), path: TABLE });
      yield* table.rows();
      await table.close();
    }
  }
}
