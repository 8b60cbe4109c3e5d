/** Where the time of a record goes, from a topic to another one and into PostgreSQL: processor time by part of the program. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '@eos/services';
import type { BenchCase } from '../cases/case.js';
import { measurement, type Measurement } from '../measurement.js';
import { startChild } from '../writer-process.js';
import type { KafkaTask } from './child-task.js';
import type { KafkaLaboratory } from './laboratory.js';
import { parseProfile, timeByPart, WAITING } from './profile.js';

const ROWS_PER_COMMIT = 10_000;

export function profileCase(): BenchCase<KafkaLaboratory> {
  const names = { copy: 'kafka/copy/profile', table: 'kafka/to-postgres/upsert/profile' };
  return {
    names: Object.values(names),
    async measure(laboratory) {
      const { options, brokers } = laboratory;
      const from = await laboratory.filled(options.rows, 1);
      const topic = laboratory.freshName('profile');
      await laboratory.createTopic(topic, 1);
      const common = { brokers, from, pipeline: topic, rowsPerCommit: ROWS_PER_COMMIT };
      const database = await startPostgres();
      try {
        return [
          await profiled(names.copy, options.rows, { ...common, to: { topic } }),
          await profiled(names.table, options.rows, {
            ...common,
            to: { table: 'profiled', url: database.url },
          }),
        ];
      } finally {
        await database.stop();
      }
    },
  };
}

async function profiled(name: string, rows: number, task: KafkaTask): Promise<Measurement> {
  const folder = await mkdtemp(join(tmpdir(), 'eos-profile-'));
  try {
    const child = startChild('children/kafka-copy.js', task, ['--cpu-prof', '--cpu-prof-dir', folder]);
    await child.next('done');
    await child.ended;
    const [file] = await readdir(folder);
    const times = timeByPart(parseProfile(await readFile(join(folder, file ?? ''), 'utf8')));
    const perRecord = (microseconds: number) => (microseconds * 1_000) / rows;
    const busy = [...times].filter(([part]) => part !== WAITING);
    return measurement({
      name,
      ours: perRecord(busy.reduce((sum, [, time]) => sum + time, 0)),
      unit: 'ns/record',
      runs: 1,
      details: Object.fromEntries([...times].map(([part, time]) => [part, perRecord(time)])),
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}
