import { existsSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import type { Admin } from 'kafkajs';

import { startKafka } from './server.js';
import type { KafkaServer } from './types.js';

const isIncluded = process.env.EOS_TEST_ALL_SERVICES === '1';
if (!isIncluded) process.stderr.write('skipped, the start of Kafka: set EOS_TEST_ALL_SERVICES=1\n');

(isIncluded ? describe : describe.skip).each(['4.3.1', '4.1.2', '3.9.2'])('Kafka %s', (version) => {
  let server: KafkaServer;
  let admin: Admin;

  beforeAll(async () => {
    server = await startKafka({ version, settings: { 'num.partitions': 3 } });
    const retry = { initialRetryTime: 100, retries: 10 };
    admin = new Kafka({ brokers: [...server.brokers], logLevel: logLevel.NOTHING, retry }).admin();
    await admin.connect();
  }, 300_000);

  afterAll(async () => {
    await admin.disconnect();
    await server.stop();
    expect(existsSync(server.directory)).toBe(false);
  }, 60_000);

  test('runs with the settings it was given', async () => {
    await admin.createTopics({ topics: [{ topic: 'first' }], waitForLeaders: true });
    const { topics } = await admin.fetchTopicMetadata({ topics: ['first'] });
    expect(topics[0]?.partitions).toHaveLength(3);
  });

  test.each([
    ['an orderly restart', () => server.restart()],
    ['being killed', () => server.kill().then(server.start)],
    ['being killed while frozen', () => server.freeze().then(server.kill).then(server.restart)],
  ])(
    'has its topics at the same address after %s',
    async (_name, restart) => {
      await restart();
      expect(await admin.listTopics()).toContain('first');
    },
    120_000,
  );
});
