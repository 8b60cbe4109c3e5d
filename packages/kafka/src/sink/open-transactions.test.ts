import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { rowSchema, t } from '@eos/core';
import { describeWith, missingForKafka } from '@eos/services';
import { startTestBroker } from '../broker.testing.js';
import type { KafkaClient } from '../client/client.js';
import { openClient } from '../client/connect.js';
import { bytesColumn } from '../client/records.js';
import { json } from '../encoding/index.js';
import { kafkaSink } from './kafka-sink.js';

describeWith({ describe, beforeAll, afterAll }, 'kafka', missingForKafka(), startTestBroker, (getBroker) => {
  let client: KafkaClient;
  beforeAll(async () => {
    client = await openClient({ brokers: [...getBroker().brokers] });
  });
  afterAll(() => client.close());

  test('the transactions of a sink are listed and aborted; whoever works with them is fenced', async () => {
    const topic = `rows-${randomBytes(4).toString('hex')}`;
    await client.admin.createTopic({ name: topic, partitions: 2, replicationFactor: 1, config: {} });
    const sink = kafkaSink({
      connection: { brokers: [...getBroker().brokers] },
      topic,
      format: json({ schema: rowSchema({ id: t.int32() }) }),
    });
    const transactions = await sink.abilities?.transactions?.({ pipeline: 'p', sink: 's' });
    if (transactions === undefined) throw new Error('the sink does not show its transactions');
    const [own, other] = await Promise.all(
      ['p/s/a.ndjson', 'p/s2/a.ndjson'].map((transactionalId) =>
        client.initProducer({ transactionalId, transactionTimeoutMs: 60_000, timeoutMs: 10_000 }),
      ),
    );
    if (own === undefined || other === undefined) throw new Error('no producers');
    for (const producer of [own, other]) {
      await producer.send(topic, 1, { count: 1, values: bytesColumn(['x']) });
      await producer.flush();
    }
    expect(await transactions.list()).toEqual([
      {
        id: 'p/s/a.ndjson',
        partition: 'a.ndjson',
        state: 'Ongoing',
        startedAt: expect.any(Date),
        timeoutMs: 60_000,
        touches: [`${topic}/1`],
        isLingering: false,
      },
    ]);
    await expect(transactions.abort('p/s2/a.ndjson')).rejects.toMatchObject({ code: 'EOS_CONFIG' });
    await transactions.abort('p/s/a.ndjson');
    expect(await transactions.list()).toEqual([]);
    await expect(own.commit()).rejects.toMatchObject({ kind: 'producer-lost' });
    await other.commit();
    await transactions.close();
  });
});
