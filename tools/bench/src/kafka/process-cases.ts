/** What is measured of a process of its own: its memory, how soon it is back, and rows into PostgreSQL. */
import { setTimeout as delay } from 'node:timers/promises';
import { startPostgres } from '@eos/services';
import type { BenchCase } from '../cases/case.js';
import type { MemorySample } from '../children/protocol.js';
import { measurement, oursAtMost, type Measurement, type Target } from '../measurement.js';
import { extent, median, slope } from '../statistics.js';
import { startChild, type WriterProcess } from '../writer-process.js';
import type { KafkaTask } from './child-task.js';
import type { KafkaLaboratory } from './laboratory.js';

const MEGABYTE = 1_000_000;
const ROWS_PER_COMMIT = 10_000;
/** Until then the heap finds its size. */
const WARM_UP_SHARE = 0.2;

function start(task: KafkaTask): WriterProcess {
  return startChild('children/kafka-copy.js', task);
}

/** JSON records of a topic, upserted into a table. */
export function toPostgresCase(): BenchCase<KafkaLaboratory> {
  const name = 'kafka/to-postgres/upsert';
  return {
    names: [name, `${name}/memory`],
    async measure(laboratory) {
      const { options, brokers } = laboratory;
      const from = await laboratory.filled(options.rows, 1);
      const database = await startPostgres();
      try {
        const rates: number[] = [];
        const peaks: number[] = [];
        for (let run = 0; run < options.runs; run++) {
          const table = `upserted_${run}`;
          const child = start({
            brokers,
            from,
            pipeline: table,
            to: { table, url: database.url },
            rowsPerCommit: ROWS_PER_COMMIT,
          });
          await child.next('loaded');
          const begin = performance.now();
          const { peakBytes } = await child.next('done');
          rates.push((options.rows * 1_000) / (performance.now() - begin));
          peaks.push(peakBytes / MEGABYTE);
          laboratory.progress(`to PostgreSQL, run ${run + 1}: ${Math.round(rates.at(-1) ?? 0)} rows/s`);
        }
        const atLeast = { of: 'ours', is: 'at least', value: 150_000 } as const satisfies Target;
        return [
          measurement({
            name,
            ours: median(rates),
            unit: 'rows/s',
            runs: rates.length,
            target: atLeast,
            details: { 'least and most': extent(rates) },
          }),
          measurement({
            name: `${name}/memory`,
            ours: Math.max(...peaks),
            unit: 'MB',
            runs: peaks.length,
            target: oursAtMost(300),
          }),
        ];
      } finally {
        await database.stop();
      }
    },
  };
}

/** Topic to topic, for long. */
export function memoryCase(): BenchCase<KafkaLaboratory> {
  const name = 'kafka/copy/memory';
  return {
    names: [`${name}/peak`, `${name}/growth`],
    async measure(laboratory) {
      const { memoryRows } = laboratory.options;
      const from = await laboratory.filled(memoryRows, 1);
      const topic = laboratory.freshName('memory');
      await laboratory.createTopic(topic, 1);
      const child = start({
        brokers: laboratory.brokers,
        from,
        pipeline: topic,
        to: { topic },
        rowsPerCommit: ROWS_PER_COMMIT,
      });
      const { samples, peakBytes } = await child.next('done');
      await laboratory.deleteTopic(topic);
      const settled = samples.filter(({ rows }) => rows >= memoryRows * WARM_UP_SHARE);
      const details = { rows: memoryRows, samples: settled.length };
      return [
        measurement({
          name: `${name}/peak`,
          ours: peakBytes / MEGABYTE,
          unit: 'MB',
          runs: 1,
          target: oursAtMost(300),
          details,
        }),
        measurement({
          name: `${name}/growth`,
          ours: growth(settled),
          unit: 'MB/1M rows',
          runs: 1,
          target: oursAtMost(2),
          details,
        }),
      ];
    },
  };
}

/** Megabytes for each million rows, by the straight line through the samples. */
function growth(samples: readonly MemorySample[]): number {
  if (samples.length === 0) return 0;
  return slope(samples.map(({ rows, bytes }) => ({ x: rows / 1e6, y: bytes / MEGABYTE })));
}

/** From the SIGKILL of a copy to the first commit of the next one, which is started at once. */
export function killCase(): BenchCase<KafkaLaboratory> {
  const name = 'kafka/copy/kill-to-first-commit';
  return {
    names: [name],
    async measure(laboratory): Promise<Measurement[]> {
      const { options, brokers } = laboratory;
      const from = await laboratory.filled(options.rows, 1);
      const sinceKill: number[] = [];
      const sinceLoaded: number[] = [];
      for (let run = 0; run < (options.quick ? 1 : Math.max(options.runs, 10)); run++) {
        const topic = laboratory.freshName('kill');
        await laboratory.createTopic(topic, 1);
        const task = { brokers, from, pipeline: topic, to: { topic }, rowsPerCommit: 100 };
        const first = start(task);
        for (let commit = 0; commit < 5; commit++) await first.next('commit');
        await delay((run * 7) % 20);
        const killed = performance.now();
        const gone = first.kill();
        const second = start(task);
        await second.next('loaded');
        const loaded = performance.now();
        await second.next('commit');
        sinceKill.push(performance.now() - killed);
        sinceLoaded.push(performance.now() - loaded);
        await Promise.all([gone, second.kill()]);
      }
      const details = { 'least and most': extent(sinceKill), 'since loaded': median(sinceLoaded) };
      return [measurement({ name, ours: median(sinceKill), unit: 'ms', runs: sinceKill.length, details })];
    },
  };
}
