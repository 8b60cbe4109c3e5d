import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ndjsonSource, pipeline } from '@eos/core';
import { kafkaSink } from '@eos/kafka';
import { describeWithServer, describeWithService, type KafkaServer } from '@eos/services';
import { Random } from '@eos/simulation';
import { caughtUp } from './catch-up.js';
import { changeAt, format, keysOf, schema } from './changes.js';
import { Members } from './members.js';
import { connectionOf, contextOf, logSink, tableSink } from './pipelines.js';
import { checkTopic } from './reader.js';
import { checkTables } from './tables.js';
import { COPY_TOPIC, PARTITIONS, SOURCE_TOPIC } from './task.js';

const CHANGES = 5_000;
const runner = { describe, beforeAll, afterAll };

describeWithServer(runner, 'kafka', (getKafka) => {
  describeWithService(runner, 'postgres', (getPostgres) => {
    test('a file goes through Kafka into Kafka and Postgres exactly once, and one of two processes is killed', async () => {
      const kafka = getKafka();
      const database = await getPostgres().createDatabase();
      const task = { brokers: kafka.brokers, url: database.url };
      const version = 'old';
      await (await tableSink({ ...task, version }).open(contextOf('table'))).close();
      await (await logSink({ ...task, version }).open(contextOf('log'))).close();
      await feedFromFile(kafka);
      const random = new Random(1);
      const members = new Members(task);
      try {
        await members.scale(2, random);
        while (members.totals.commits < 3) await new Promise((resolve) => setTimeout(resolve, 20));
        await members.killAndReplace(random);
        await caughtUp({ ...task, version }, members, () => undefined);
        await members.end();
      } finally {
        await members.killAll();
      }
      expect(members.problems).toEqual([]);
      const whole = { found: CHANGES, lost: 0, duplicated: 0, disordered: 0 };
      expect(await checkTopic(kafka.brokers, SOURCE_TOPIC, CHANGES)).toEqual(whole);
      expect(await checkTopic(kafka.brokers, COPY_TOPIC, CHANGES)).toEqual(whole);
      const { log, table } = await checkTables(database.url, CHANGES);
      expect(log).toEqual(whole);
      expect(table).toMatchObject({ lost: 0, disordered: 0 });
    }, 300_000);
  });
});

/** NDJSON with the op of each line. */
async function feedFromFile({ brokers }: KafkaServer): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'eos-changes-'));
  try {
    const path = join(folder, 'changes.ndjson');
    const keys = keysOf(CHANGES);
    const lines = Array.from({ length: CHANGES }, (_, index) => {
      const { row, op } = changeAt(index, keys);
      return JSON.stringify({ op: op === 3 ? '-D' : '+U', ...row, id: row.id.toString() });
    });
    await writeFile(path, `${lines.join('\n')}\n`);
    const sink = kafkaSink({
      connection: connectionOf(brokers),
      topic: SOURCE_TOPIC,
      format,
      create: { partitions: PARTITIONS },
    });
    const source = ndjsonSource({ path, schema, op: 'op', changelog: 'upsert' });
    await pipeline({ id: 'feed', source, sinks: { changes: sink }, trigger: { rows: 700 } }).run({
      signals: [],
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}
