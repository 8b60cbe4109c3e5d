/** A cluster of three whose brokers go in turn: who leads partitions and coordinates transactions and groups is then another. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { pipeline, type RunResult } from '@eos/core';
import { describeWith, missingForKafka, startKafkaCluster, type KafkaServer } from '@eos/services';
import { openClient } from './client/connect.js';
import { json, kafkaSource } from './index.js';
import {
  numbers,
  numberSchema,
  testTopics,
  upTo,
  type NumberRow,
  type TestTopics,
} from './numbered.testing.js';

const COUNT = 20_000;
const PAUSE_MS = 10;
/** So many commits show that all goes on without the broker. */
const COMMITS = 10;
const SINK = 's';
const FEED = 'feed';
const COPY = 'copy';
const retry = { attempts: Infinity, initialMs: 20, maxMs: 500 };

describeWith(
  { describe, beforeAll, afterAll },
  'kafka',
  missingForKafka(),
  startKafkaCluster,
  (getCluster) => {
    test('a topic is filled and copied without a record lost or doubled, whichever broker is killed or restarted', async () => {
      const { brokers, nodes } = getCluster();
      const topics = await testTopics({ brokers });
      const rolled = new AbortController();
      const stopped = new AbortController();
      const running = [feed(topics, rolled.signal), copy(topics, { signal: stopped.signal })];
      try {
        // A pipeline that fails is not to be waited for.
        const goesOn = () => Promise.race([commits(), ...running]);
        const moved: string[] = [];
        for (const [index, node] of (await inOrder(nodes, brokers, topics)).entries()) {
          await goesOn();
          if (index === 1) await node.restart();
          else {
            const before = await coordinators(brokers, topics);
            await node.kill();
            await goesOn();
            const after = await coordinators(brokers, topics);
            moved.push(...[...before].filter(([id, place]) => after.get(id) !== place).map(([id]) => id));
            await node.start();
          }
          await goesOn();
        }
        rolled.abort();
        await running[0];
        stopped.abort();
        await running[1];
        expect(moved).not.toEqual([]);
        expect(await copy(topics, { until: 'end' })).toMatchObject({ reason: 'end' });
        expect(await topics.ids()).toEqual(upTo(COUNT));
      } finally {
        rolled.abort();
        stopped.abort();
        await Promise.allSettled(running);
        await topics.close();
      }
    }, 300_000);
  },
);

/** Numbers into the topic, slowly as long as brokers go. */
async function feed({ input, sink }: TestTopics, rolled: AbortSignal): Promise<RunResult> {
  const source = numbers({
    count: COUNT,
    onRead: async () => {
      if (!rolled.aborted) await delay(PAUSE_MS);
    },
  });
  const sinks = { [SINK]: sink({}, { topic: input }) };
  return await pipeline({ id: FEED, source, sinks, trigger: { intervalMs: 100 }, retry }).run({
    signals: [],
  });
}

async function copy(
  { input, sink, brokers }: TestTopics,
  { signal, until }: { readonly signal?: AbortSignal; readonly until?: 'end' },
): Promise<RunResult> {
  const source = kafkaSource<NumberRow>({
    connection: { brokers },
    topic: input,
    format: json({ schema: numberSchema, key: ['id'] }),
    ...(until === undefined ? {} : { until }),
  });
  const sinks = { [SINK]: sink({}) };
  return await pipeline({ id: COPY, source, sinks, trigger: { intervalMs: 100 }, retry }).run({
    signals: [],
    ...(signal === undefined ? {} : { signal }),
  });
}

/** Until the copy has committed some more. */
async function commits(): Promise<void> {
  let count = 0;
  await new Promise<void>((resolve) => {
    const listener = (message: unknown) => {
      if (typeof message !== 'object' || message === null || Reflect.get(message, 'pipeline') !== COPY)
        return;
      if (++count < COMMITS) return;
      unsubscribe('eos:commit', listener);
      resolve();
    };
    subscribe('eos:commit', listener);
  });
}

/** Which broker coordinates what the pipelines have at the cluster, asked by a client that knows nothing yet. */
async function coordinators(
  brokers: readonly string[],
  { input }: TestTopics,
): Promise<ReadonlyMap<string, number>> {
  const client = await openClient({ brokers: [...brokers] });
  try {
    const ids = [`${FEED}/${SINK}/0`, `${COPY}/${SINK}/${input}/0`, `${COPY}/${SINK}/${input}/1`];
    const found = await client.cluster.coordinators('transaction', ids);
    const group = await client.cluster.coordinator('group', COPY);
    return new Map([...found, [`group ${COPY}`, group]]);
  } finally {
    await client.close();
  }
}

/** The broker that coordinates the first transactional id comes first. */
async function inOrder(
  nodes: readonly KafkaServer[],
  brokers: readonly string[],
  topics: TestTopics,
): Promise<readonly KafkaServer[]> {
  const [first] = (await coordinators(brokers, topics)).values();
  const at = (first ?? 1) - 1;
  return [...nodes.slice(at), ...nodes.slice(0, at)];
}
