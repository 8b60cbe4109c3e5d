/** JSON records of a topic into a Delta table, by a process of its own. */
import { DeltaTable } from '@eos/delta';
import type { BenchCase } from '../cases/case.js';
import { withKafkaLaboratory } from '../kafka/laboratory.js';
import { measurement, oursAtMost, type Measurement, type Target } from '../measurement.js';
import { extent, median } from '../statistics.js';
import { startChild } from '../writer-process.js';
import type { DeltaLaboratory } from './laboratory.js';
import type { FromKafkaTask } from './kafka-writer.js';

const NAME = 'delta/from-kafka';
const MEGABYTE = 1_000_000;
const ROWS_PER_COMMIT = 100_000;
const AT_LEAST: Target = { of: 'ours', is: 'at least', value: 200_000 };

export function deltaFromKafkaCase(): BenchCase<DeltaLaboratory> {
  return {
    names: [NAME, `${NAME}/memory`],
    async measure(laboratory) {
      const lines: Measurement[] = [];
      await withKafkaLaboratory(laboratory.options, laboratory.progress, async (kafka) => {
        const topic = await kafka.filled(laboratory.options.rows, 1);
        const copies: Copy[] = [];
        for (let run = 0; run < laboratory.options.runs; run++) {
          const copied = await copy(laboratory, { brokers: kafka.brokers, topic });
          copies.push(copied);
          laboratory.progress(`from Kafka, run ${run + 1}: ${Math.round(copied.rate)} rows/s`);
        }
        lines.push(...linesOf(copies));
      });
      return lines;
    },
  };
}

interface Copy {
  /** Rows a second. */
  readonly rate: number;
  readonly peakBytes: number;
}

async function copy(
  { options, inFolder }: DeltaLaboratory,
  from: Pick<FromKafkaTask, 'brokers' | 'topic'>,
): Promise<Copy> {
  return await inFolder(async (folder) => {
    const task: FromKafkaTask = { ...from, folder, rowsPerCommit: ROWS_PER_COMMIT };
    const child = startChild('delta/kafka-writer.js', task);
    await child.next('loaded');
    const begun = performance.now();
    const { peakBytes } = await child.next('done');
    const rate = (options.rows * 1_000) / (performance.now() - begun);
    await check(folder, options.rows);
    return { rate, peakBytes };
  });
}

function linesOf(copies: readonly Copy[]): readonly Measurement[] {
  const rates = copies.map(({ rate }) => rate);
  const peak = Math.max(...copies.map(({ peakBytes }) => peakBytes));
  const runs = copies.length;
  const details = { 'least and most': extent(rates) };
  return [
    measurement({ name: NAME, ours: median(rates), unit: 'rows/s', runs, target: AT_LEAST, details }),
    measurement({
      name: `${NAME}/memory`,
      ours: peak / MEGABYTE,
      unit: 'MB',
      runs,
      target: oursAtMost(600),
    }),
  ];
}

async function check(folder: string, rows: number): Promise<void> {
  const table = await DeltaTable.open({ folder });
  try {
    const found = (await table.files()).reduce((sum, file) => sum + (file.rows ?? NaN), 0);
    if (found !== rows) throw new Error(`the table has ${found} of ${rows} rows`);
  } finally {
    await table.close();
  }
}
