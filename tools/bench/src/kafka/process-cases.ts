/** What is measured of a process of its own: its memory, how soon it is back, and rows into PostgreSQL. */
import { startPostgres } from '@eos/services';
import type { BenchCase } from '../cases/case.js';
import { measurement, oursAtMost, type Measurement, type Target } from '../measurement.js';
import { MEGABYTE, memoryMeasurements } from '../memory.js';
import { killAndRestart, restartMeasurement, type Restart } from '../restarts.js';
import { randomNumbers } from '../rows.js';
import { extent, median } from '../statistics.js';
import { startChild, type WriterProcess } from '../writer-process.js';
import type { KafkaTask } from './child-task.js';
import type { KafkaLaboratory } from './laboratory.js';

const ROWS_PER_COMMIT = 10_000;
const KILL_WITHIN_MS = 20;

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
      const done = await child.next('done');
      await laboratory.deleteTopic(topic);
      return memoryMeasurements(name, done, { rows: memoryRows, peakLimitMegabytes: 300 });
    },
  };
}

/** From the SIGKILL of a copy to the first commit of the next one, which is started at once. */
export function killCase(): BenchCase<KafkaLaboratory> {
  const name = 'kafka/copy/kill-to-first-commit';
  return {
    names: [name],
    async measure(laboratory): Promise<Measurement[]> {
      const { options, brokers } = laboratory;
      const from = await laboratory.filled(options.rows, 1);
      const random = randomNumbers(8);
      const runs = options.quick ? 1 : Math.max(options.runs, 10);
      const taken: Restart[] = [];
      for (let run = 0; run < runs; run++) {
        const topic = laboratory.freshName('kill');
        await laboratory.createTopic(topic, 1);
        const task = { brokers, from, pipeline: topic, to: { topic }, rowsPerCommit: 100 };
        taken.push(await killAndRestart(() => start(task), random() * KILL_WITHIN_MS));
      }
      return [restartMeasurement(name, taken)];
    },
  };
}
