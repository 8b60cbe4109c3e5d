import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { rowSchema, t, type Position, type Positions, type SourceBatch } from '@eos/core';
import { describeWith, missingForKafka } from '@eos/services';
import { logLevel } from 'kafkajs';
import { startTestBroker } from '../broker.testing.js';
import { json } from '../encoding/index.js';
import { kafkaSource } from './kafka-source.js';
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

  const sourceOf = (topic: string, follows = false) =>
    kafkaSource({
      connection: { brokers: [...laboratory.brokers], logLevel: logLevel.NOTHING },
      topic,
      format,
      groupId: false,
      ...(follows ? {} : { until: 'end' }),
    });

  /** Positions behind records 0 to 19, of which the transaction's control record is one more. */
  const readTwenty = async (topic: string): Promise<Positions> => {
    await (
      await laboratory.transaction(topic, messagesOf(0, 20))
    )('commit');
    return await positionsOf(await readToEnd(sourceOf(topic)));
  };
  const recreate = async (topic: string) => {
    await laboratory.admin.deleteTopics({ topics: [topic] });
    await laboratory.admin.createTopics({ topics: [{ topic }], waitForLeaders: true });
    await laboratory.send(topic, messagesOf(0, 40));
  };

  test('a topic that was deleted and made again stops the pipeline', async () => {
    const topic = await laboratory.topic();
    const positions = await readTwenty(topic);
    await recreate(topic);
    expect(await failureOf(readToEnd(sourceOf(topic), positions))).toMatchObject({
      code: 'EOS_SOURCE_CHANGED',
      message: expect.stringContaining('was deleted and made again'),
    });
  });

  test('a topic that is deleted and made again while it is read is never read in place of the other', async () => {
    const topic = await laboratory.topic();
    await laboratory.send(topic, messagesOf(0, 20));
    const { signal } = new AbortController();
    let rows = 0;
    const reading = (async () => {
      for await (const assignment of sourceOf(topic, true).assignments({ pipeline: 'p', signal })) {
        const reader = await assignment.open(new Map(), signal);
        let batch: SourceBatch<unknown> | undefined;
        while ((batch = await reader.read({ rows: 100 })) !== undefined) {
          rows += batch.rows.length;
          if (rows === 20) void recreate(topic);
        }
      }
    })();
    expect(await failureOf(reading)).toMatchObject({ code: 'EOS_SOURCE_CHANGED' });
    expect(rows).toBe(20);
  });

  test('records that were deleted unread stop the pipeline; a fresh one begins behind them', async () => {
    const topic = await laboratory.topic();
    const positions = await readTwenty(topic);
    await laboratory.send(topic, messagesOf(20, 40));
    // KafkaJS knows the leaders only of topics that it was asked about.
    await laboratory.admin.fetchTopicOffsets(topic);
    const remove = (offset: number) =>
      laboratory.admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset) }] });
    // What was read may go: the record before the position too.
    await remove(21);
    expect((await readToEnd(sourceOf(topic), positions)).get(`${topic}/0`)?.rows).toHaveLength(20);
    await remove(25);
    expect(await failureOf(readToEnd(sourceOf(topic), positions))).toMatchObject({
      code: 'EOS_SOURCE_CHANGED',
      details: { partition: `${topic}/0`, offset: 21n, earliest: 25n },
    });
    expect((await readToEnd(sourceOf(topic))).get(`${topic}/0`)?.rows.map(({ id }) => id)).toEqual(
      messagesOf(24, 40).map((_, index) => index + 24),
    );
  });

  test('a position of another cluster or topic stops the pipeline', async () => {
    const topic = await laboratory.topic();
    const [position] = (await readTwenty(topic)).values();
    if (position === undefined) throw new Error('nothing was read');
    for (const change of [{ cluster: 'other' }, { topic: 'other' }, { kind: 'file' }]) {
      const stored: Position = { ...position, source: { ...position.source, ...change } };
      expect(await failureOf(readToEnd(sourceOf(topic), new Map([[`${topic}/0`, stored]])))).toMatchObject({
        code: 'EOS_SOURCE_CHANGED',
      });
    }
  });

  test('a log that lost its end stops the pipeline, also where others were written in its place', async () => {
    const topic = await laboratory.topic();
    await laboratory.send(topic, messagesOf(0, 10));
    await getBroker().save();
    const positions = await readTwenty(topic);
    await getBroker().restore();
    expect(await failureOf(readToEnd(sourceOf(topic), positions))).toMatchObject({
      code: 'EOS_SOURCE_CHANGED',
      message: expect.stringContaining('lost its end'),
    });
    await laboratory.send(topic, messagesOf(500, 550));
    expect(await failureOf(readToEnd(sourceOf(topic), positions))).toMatchObject({
      code: 'EOS_SOURCE_CHANGED',
      message: expect.stringMatching(/another one|cut back/),
    });
  });
});
