/** What the source keeps in memory, of however many partitions and however slow its reader. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { rowSchema, t } from '@eos/core';
import { describeWith, missingForKafka } from '@eos/services';
import { logLevel } from 'kafkajs';
import { startTestBroker } from '../broker.testing.js';
import { json } from '../encoding/index.js';
import { kafkaSource } from './kafka-source.js';
import type { KafkaSourceOptions } from './source-options.js';
import { openLaboratory, readToEnd, type Laboratory } from './source.testing.js';

const format = json({ schema: rowSchema({ id: t.int32() }) });

describeWith({ describe, beforeAll, afterAll }, 'kafka', missingForKafka(), startTestBroker, (getBroker) => {
  let laboratory: Laboratory;
  beforeAll(async () => {
    laboratory = await openLaboratory(getBroker().brokers);
  });
  afterAll(() => laboratory.close());

  const sourceOf = (topic: string, options: Partial<KafkaSourceOptions<{ id: number }>> = {}) =>
    kafkaSource({
      connection: { brokers: [...laboratory.brokers], logLevel: logLevel.NOTHING },
      topic,
      format,
      until: 'end',
      groupId: false,
      ...options,
    });
  const ids = (found: { readonly rows: readonly { id: number }[] } | undefined) =>
    found?.rows.map(({ id }) => id);
  const upTo = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

  test('of 1,000 partitions is read with little memory', async () => {
    const topic = await laboratory.topic(1_000);
    const text = 'x'.repeat(10_000);
    const messages = [0, 1, 2, 3].flatMap((id) =>
      upTo(0, 1_000).map((partition) => ({ partition, value: `{"id":${id},"text":"${text}"}` })),
    );
    await laboratory.send(topic, messages);
    const live = liveBytes();
    const sizes = { prefetchBytes: 1_000_000, partitionBytes: 25_000, fetchBytes: 500_000 };
    const found = await readToEnd(sourceOf(topic, sizes));
    expect(found.size).toBe(1_000);
    for (const one of found.values()) expect(ids(one)).toEqual(upTo(0, 4));
    // 40 MB went through.
    expect(live.stop()).toBeLessThan(16_000_000);
  });

  test('is fetched ahead only so far, whoever does not read', async () => {
    const topic = await laboratory.topic(8);
    const text = 'x'.repeat(50_000);
    for (let round = 0; round < 10; round++)
      await laboratory.send(
        topic,
        upTo(0, 8).map((partition) => ({ partition, value: `{"id":${round},"text":"${text}"}` })),
      );
    const source = sourceOf(topic, {
      prefetchBytes: 500_000,
      fetchBytes: 200_000,
      partitionBytes: 100_000,
    });
    const { signal } = new AbortController();
    const received = receivedBytes();
    try {
      for await (const assignment of source.assignments({ pipeline: 'p', signal })) {
        const reader = await assignment.open(new Map(), signal);
        try {
          await reader.read({ rows: 1 });
          await delay(1_000);
          // Of 4 MB: what may wait, and the fetch that was under way when not so much waited yet.
          expect(received.total()).toBeGreaterThan(200_000);
          expect(received.total()).toBeLessThan(1_000_000);
        } finally {
          await reader.close();
        }
      }
    } finally {
      received.stop();
    }
  });
});

/** Looks now and then at what buffers are still in use; `stop` gives how much more that was at most than now. Each look takes a whole collection. */
function liveBytes() {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const look = () => {
    collect();
    return process.memoryUsage().arrayBuffers;
  };
  const before = look();
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, look())), 2_000);
  return {
    stop: () => {
      clearInterval(timer);
      return Math.max(most, look()) - before;
    },
  };
}

/** Counts what connections that are opened from now on receive. */
function receivedBytes() {
  const sockets: Socket[] = [];
  const add = (message: unknown) => sockets.push((message as { socket: Socket }).socket);
  subscribe('net.client.socket', add);
  return {
    total: () => sockets.reduce((sum, { bytesRead }) => sum + bytesRead, 0),
    stop: () => void unsubscribe('net.client.socket', add),
  };
}
