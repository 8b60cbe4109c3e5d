/** `recover()` with many transactions behind it, as the broker finds them after a crash, and when it has compacted them. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { bytes, kafkaSink, type RecordInput } from '@eos/kafka';
import type { SinkConnector } from '@eos/core';
import type { BenchCase } from '../cases/case.js';
import { measurement, oursAtMost, type Measurement } from '../measurement.js';
import { extent, median } from '../statistics.js';
import type { KafkaLaboratory } from './laboratory.js';
import { logBytes, repeatLastTransaction } from './old-positions.js';

const NAME = 'kafka/recover';
const COMPACTED_BYTES = 8 * 1024 * 1024;
/** The cleaner looks for work every 15 seconds unless set otherwise. */
const COMPACTION_MS = 180_000;

export function recoverCase(): BenchCase<KafkaLaboratory> {
  return { names: [NAME, `${NAME}/not-compacted`], measure: measureRecover };
}

async function measureRecover(laboratory: KafkaLaboratory): Promise<Measurement[]> {
  const { options, server } = laboratory;
  const name = laboratory.freshName('recover');
  await laboratory.createTopic(name, 1);
  const connector = kafkaSink({
    connection: { brokers: [...server.brokers] },
    topic: name,
    format: bytes(),
    positionsTopic: { name: `${name}-positions`, partitions: 1 },
  });
  await commitTwice(connector, name);
  const fresh = await timeRecover(connector, name);
  const folder = join(server.directory, 'data', `${name}-positions-0`);
  await server.kill();
  const written = await repeatLastTransaction(folder, options.commits);
  await server.start();
  const before = await timeRecover(connector, name);
  const isCompacted = await untilCompacted(laboratory, folder);
  const times: number[] = [];
  for (let run = 0; run < Math.max(options.runs, 3); run++) times.push(await timeRecover(connector, name));
  const left = await logBytes(folder);
  return [
    measurement({
      name: NAME,
      ours: median(times),
      baseline: fresh,
      unit: 'ms',
      runs: times.length,
      target: oursAtMost(1_000),
      details: {
        'transactions behind it': options.commits,
        'least and most': extent(times),
        'MB of the log': left / 1e6,
        compacted: isCompacted ? 'yes' : 'not in time',
      },
    }),
    measurement({
      name: `${NAME}/not-compacted`,
      ours: before,
      baseline: fresh,
      unit: 'ms',
      runs: 1,
      details: { 'transactions behind it': options.commits, 'MB of the log': written / 1e6 },
    }),
  ];
}

async function commitTwice(connector: SinkConnector<RecordInput>, pipeline: string): Promise<void> {
  const sink = await connector.open({ pipeline, sink: 'copy' });
  const session = await sink.recover(['0']);
  for (const offset of [1n, 2n]) {
    const transaction = await session.begin();
    await transaction.write({ partition: '0', rows: [{ key: 'k', value: 'v' }] });
    await transaction.prepare();
    const to = new Map([['0', { offset, source: { kind: 'bench' } }]]);
    await transaction.commit({ from: session.positions, to });
  }
  await sink.close();
}

async function timeRecover(connector: SinkConnector<RecordInput>, pipeline: string): Promise<number> {
  const sink = await connector.open({ pipeline, sink: 'copy' });
  const start = performance.now();
  const { positions } = await sink.recover(['0']);
  const milliseconds = performance.now() - start;
  if (positions.get('0')?.offset !== 2n) throw new Error('recover found another position');
  await sink.close();
  return milliseconds;
}

async function untilCompacted(laboratory: KafkaLaboratory, folder: string): Promise<boolean> {
  laboratory.progress('waiting for the broker to compact the positions topic');
  const end = performance.now() + COMPACTION_MS;
  while (performance.now() < end) {
    if ((await logBytes(folder)) <= COMPACTED_BYTES) return true;
    await delay(1_000);
  }
  return false;
}
