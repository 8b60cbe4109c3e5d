import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { rowSchema, t, type Position } from '@eos/core';
import { describeWith, missingForKafka } from '@eos/services';
import { CompressionTypes, logLevel } from 'kafkajs';
import { startTestBroker } from '../broker.testing.js';
import { bytes, json } from '../encoding/index.js';
import { kafkaSource } from './kafka-source.js';
import type { KafkaSourceOptions } from './source-options.js';
import {
  failureOf,
  messagesOf,
  openLaboratory,
  positionsOf,
  readToEnd,
  type Laboratory,
} from './source.testing.js';

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

  describe('a topic', () => {
    test('is read once, in order, with the offsets of the log, however the batches are cut', async () => {
      const topic = await laboratory.topic(3);
      for (const partition of [0, 1, 2])
        for (const from of [0, 40]) await laboratory.send(topic, messagesOf(from, from + 40, partition));
      for (const limit of [1, 7, 1000]) {
        const found = await readToEnd(sourceOf(topic), undefined, limit);
        for (const partition of [0, 1, 2]) {
          const { offsets, next } = found.get(`${topic}/${partition}`) ?? { offsets: [], next: 0n };
          expect(ids(found.get(`${topic}/${partition}`))).toEqual(upTo(0, 80));
          expect(offsets).toEqual(upTo(0, 80).map(BigInt));
          expect(next).toBe(80n);
        }
      }
    });

    test('is read on from the positions, in the middle of a batch of the log too', async () => {
      const topic = await laboratory.topic();
      await laboratory.send(topic, messagesOf(0, 50));
      const [position] = (await positionsOf(await readToEnd(sourceOf(topic)))).values();
      if (position === undefined) throw new Error('nothing was read');
      for (const offset of [0, 1, 25, 49, 50]) {
        const positions = new Map<string, Position>([
          [`${topic}/0`, { ...position, offset: BigInt(offset) }],
        ]);
        const found = await readToEnd(sourceOf(topic), positions);
        expect(ids(found.get(`${topic}/0`)) ?? []).toEqual(upTo(offset, 50));
      }
    });

    test('gives no record of a transaction that was aborted, nor one that is open', async () => {
      const topic = await laboratory.topic();
      // Two that overlap: the broker lists them in the order in which they ended. What KafkaJS makes of that: `aborted-records.test.ts`.
      const [first, second] = [
        await laboratory.transaction(topic, messagesOf(100, 105)),
        await laboratory.transaction(topic, messagesOf(200, 205)),
      ];
      await laboratory.send(topic, messagesOf(0, 5));
      await second('abort');
      await first('abort');
      // A record whose key looks like the control record of an abort.
      const third = await laboratory.transaction(topic, [
        { key: Buffer.from([0, 0, 0, 0]), value: '{"id":300}' },
        ...messagesOf(301, 305),
      ]);
      await third('abort');
      const fourth = await laboratory.transaction(topic, messagesOf(5, 10));
      await fourth('commit');
      const found = await readToEnd(sourceOf(topic));
      expect(ids(found.get(`${topic}/0`))).toEqual(upTo(0, 10));
      // All control records too: nothing is left to be read again.
      const [end] = await laboratory.admin.fetchTopicOffsets(topic);
      expect(found.get(`${topic}/0`)?.next).toBe(BigInt(end?.high ?? -1));
    });

    test('with an open transaction is waited for up to the end as it was', async () => {
      const topic = await laboratory.topic();
      await laboratory.send(topic, messagesOf(0, 3));
      const open = await laboratory.transaction(topic, messagesOf(3, 6));
      const reading = readToEnd(sourceOf(topic));
      const early = await Promise.race([
        reading,
        new Promise((resolve) => setTimeout(resolve, 700, 'waits')),
      ]);
      expect(early).toBe('waits');
      await open('commit');
      // The control record came after the end was taken.
      expect(ids((await reading).get(`${topic}/0`))).toEqual(upTo(0, 6));
    });

    test('that was compacted is read over its gaps', async () => {
      const config = { 'cleanup.policy': 'compact', 'segment.ms': '50', 'min.cleanable.dirty.ratio': '0.01' };
      const topic = await laboratory.topic(1, config);
      for (let turn = 0; turn < 6; turn++) {
        await laboratory.send(
          topic,
          upTo(0, 20).map((id) => ({ key: `k${id % 7}`, value: `{"id":${turn * 20 + id}}` })),
        );
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      const last = () => readToEnd(sourceOf(topic), undefined, 3);
      let found = await last();
      for (let tries = 0; (found.get(`${topic}/0`)?.rows.length ?? 0) > 60 && tries < 100; tries++) {
        await new Promise((resolve) => setTimeout(resolve, 200));
        found = await last();
      }
      const { offsets = [], next } = found.get(`${topic}/0`) ?? {};
      expect(offsets.length).toBeLessThan(60);
      expect(ids(found.get(`${topic}/0`))).toEqual(offsets.map(Number));
      expect(next).toBe(120n);
      // From within a gap.
      const gap = upTo(0, 120).find((offset) => !offsets.includes(BigInt(offset))) ?? -1;
      const [position] = (await positionsOf(found)).values();
      if (position === undefined) throw new Error('nothing was read');
      const again = await readToEnd(
        sourceOf(topic),
        new Map([[`${topic}/0`, { ...position, offset: BigInt(gap) }]]),
      );
      expect(again.get(`${topic}/0`)?.offsets).toEqual(offsets.filter((offset) => offset >= gap));
    });

    test('with compressed records is read like any other', async () => {
      const topic = await laboratory.topic();
      await laboratory.producer.send({
        topic,
        compression: CompressionTypes.GZIP,
        messages: messagesOf(0, 500),
      });
      const found = await readToEnd(sourceOf(topic), undefined, 33);
      expect(ids(found.get(`${topic}/0`))).toEqual(upTo(0, 500));
    });
  });

  describe('records that cannot be read', () => {
    const withPoison = async () => {
      const topic = await laboratory.topic();
      const values = ['{"id":0}', '{"id":', '{"id":"x"}', '{"id":3}', 'null', '{"id":5}'];
      await laboratory.send(
        topic,
        values.map((value) => ({ value })),
      );
      return topic;
    };

    test('stop the pipeline, with partition and offset', async () => {
      const topic = await withPoison();
      expect(await failureOf(readToEnd(sourceOf(topic)))).toMatchObject({
        code: 'EOS_SOURCE_FORMAT',
        retryable: false,
        details: { partition: `${topic}/0`, offset: 1n },
      });
    });

    test('are skipped where that is asked for, and not without end', async () => {
      const topic = await withPoison();
      const found = await readToEnd(sourceOf(topic, { unreadable: 'skip' }), undefined, 2);
      expect(ids(found.get(`${topic}/0`))).toEqual([0, 3, 5]);
      expect(found.get(`${topic}/0`)?.next).toBe(6n);
      expect(
        await failureOf(readToEnd(sourceOf(topic, { unreadable: 'skip', maxUnreadable: 1 }))),
      ).toMatchObject({
        code: 'EOS_SOURCE_FORMAT',
        message: expect.stringContaining('more than 1 records in a row'),
      });
    });
  });

  describe('where to begin', () => {
    test('is at the end with from: latest, and that is committed at once', async () => {
      const topic = await laboratory.topic(2);
      await laboratory.send(topic, messagesOf(0, 10, 1));
      const found = await readToEnd(sourceOf(topic, { from: 'latest' }));
      expect([...found].map(([name, { rows, next }]) => [name, rows.length, next])).toEqual([
        [`${topic}/0`, 0, 0n],
        [`${topic}/1`, 0, 10n],
      ]);
    });

    test('is at offsets, which must be there', async () => {
      const topic = await laboratory.topic();
      await laboratory.send(topic, messagesOf(0, 10));
      expect(
        ids((await readToEnd(sourceOf(topic, { from: { [`${topic}/0`]: 7n } }))).get(`${topic}/0`)),
      ).toEqual([7, 8, 9]);
      const beyond = sourceOf(topic, { from: { [`${topic}/0`]: 11n } });
      expect(await failureOf(readToEnd(beyond))).toMatchObject({ code: 'EOS_SOURCE_CHANGED' });
    });

    test('is never what the group has stored', async () => {
      const topic = await laboratory.topic();
      await laboratory.send(topic, messagesOf(0, 10));
      const groupId = `g-${topic}`;
      await laboratory.admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '9' }] });
      expect(ids((await readToEnd(sourceOf(topic, { groupId }))).get(`${topic}/0`))).toEqual(upTo(0, 10));
    });
  });

  test('lag is told for every partition', async () => {
    const topic = await laboratory.topic(2);
    await laboratory.send(topic, messagesOf(0, 10, 0));
    const source = sourceOf(topic);
    const [position] = (await positionsOf(await readToEnd(source))).values();
    if (position === undefined) throw new Error('nothing was read');
    await laboratory.send(topic, messagesOf(10, 14, 0));
    const lag = await source.abilities?.lag?.(new Map([[`${topic}/0`, position]]));
    expect(lag).toEqual(
      new Map([
        [`${topic}/0`, { unit: 'rows', behind: 4n, total: 14n }],
        [`${topic}/1`, { unit: 'rows', behind: 0n, total: 0n }],
      ]),
    );
  });

  test('bytes come with key, headers and timestamp', async () => {
    const topic = await laboratory.topic();
    const message = { key: 'k', value: null, headers: { a: 'b', c: '' }, timestamp: '1700000000000' };
    await laboratory.send(topic, [message]);
    const source = kafkaSource({
      connection: { brokers: [...laboratory.brokers], logLevel: logLevel.NOTHING },
      topic,
      format: bytes(),
      until: 'end',
      groupId: false,
    });
    const [row] = (await readToEnd(source)).get(`${topic}/0`)?.rows ?? [];
    expect(row).toEqual({
      key: Buffer.from('k'),
      value: null,
      headers: [
        ['a', Buffer.from('b')],
        ['c', Buffer.from('')],
      ],
      timestamp: 1_700_000_000_000,
    });
  });

  test.each([
    ['a topic that is not there', (topic: string) => ({ topic: `${topic}-other` }), 'EOS_SOURCE_UNAVAILABLE'],
  ])('%s is an error', async (_name, options, code) => {
    const topic = await laboratory.topic();
    expect(await failureOf(readToEnd(sourceOf(topic, options(topic))))).toMatchObject({
      code,
      retryable: false,
    });
  });
});
