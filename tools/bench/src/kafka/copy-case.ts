/** Topic to topic: what exactly once costs, by the size of a transaction and the number of partitions. */
import type { BenchCase } from '../cases/case.js';
import { interleave } from '../interleave.js';
import { ratioAtLeast, type Measurement, type Target } from '../measurement.js';
import { compare } from '../throughput.js';
import { copyAtLeastOnce, copyInTransactions, copyWithEos, type CopyTask } from './copy-loops.js';
import type { KafkaLaboratory } from './laboratory.js';

type Copy = (task: CopyTask) => Promise<void>;

/** With small transactions most of the time goes by waiting: fewer records say as much. */
const MOST_TRANSACTIONS = 500;

export function copyCase(size: number, partitions: number, target?: number): BenchCase<KafkaLaboratory> {
  const name = `kafka/copy/txn=${size}/partitions=${partitions}`;
  const lines = [
    { name: `${name}/vs-plain`, ours: 'ours', baseline: 'plain', ...targetOf(target) },
    // The issue is the default settings of the client, which small transactions show. By twelve partitions they would take hours.
    ...(size <= 1_000 && partitions === 1
      ? [
          {
            name: `${name}/vs-own-transactions`,
            ours: 'ours',
            baseline: 'own transactions',
            ...(size === 100 ? targetOf(2) : {}),
          },
        ]
      : []),
    ...(isPlatformaticUsable()
      ? [{ name: `${name}/platformatic/vs-plain`, ours: 'platformatic', baseline: 'plain' }]
      : []),
  ];
  return {
    names: lines.map((line) => line.name),
    measure: (laboratory) => measureCopies(laboratory, { size, partitions, lines }),
  };
}

interface Line {
  readonly name: string;
  readonly ours: string;
  readonly baseline: string;
  readonly target?: Target;
}

const COPIES: Readonly<Record<string, Copy>> = {
  ours: (task) => copyWithEos(task),
  plain: copyAtLeastOnce,
  'own transactions': copyInTransactions,
  platformatic: (task) => copyWithEos(task, 'platformatic'),
};

async function measureCopies(
  laboratory: KafkaLaboratory,
  { size, partitions, lines }: { size: number; partitions: number; lines: readonly Line[] },
): Promise<Measurement[]> {
  const { options, brokers } = laboratory;
  const records = Math.min(options.rows, size * MOST_TRANSACTIONS);
  const from = await laboratory.filled(records, partitions);
  const wanted = lines.filter(({ name }) => laboratory.wants(name));
  const needed = Object.entries(COPIES).filter(([copy]) =>
    wanted.some(({ ours, baseline }) => ours === copy || baseline === copy),
  );
  const sides = needed.map(([name, copy]) => ({
    name,
    async run() {
      const to = laboratory.freshName('copy');
      await laboratory.createTopic(to, partitions);
      const timing = await laboratory.timed(() => copy({ brokers, from, to, records, size, partitions }));
      await laboratory.checkSize(to, records);
      await laboratory.deleteTopic(to);
      return timing;
    },
  }));
  const results = await interleave(sides, {
    runs: options.runs,
    warmUp: !options.quick,
    onRun: (name, run, { seconds }) =>
      laboratory.progress(
        `txn=${size}, ${partitions} partitions, run ${run}: ${name} ${Math.round(records / seconds)} records/s`,
      ),
  });
  return wanted.map((line) => compare(line, records, results, 'records/s'));
}

function targetOf(value: number | undefined): { readonly target?: Target } {
  return value === undefined ? {} : { target: ratioAtLeast(value) };
}

/** From Node 22.22 on, as its package says. */
function isPlatformaticUsable(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 22);
}
