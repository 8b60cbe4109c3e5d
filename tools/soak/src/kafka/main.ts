/** `npm run proof -- kafka --minutes 5`: see the README. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { prove } from './proof.js';
import { reportOf } from './report.js';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: String(randomInt(1, 2 ** 30)) },
    changes: { type: 'string', default: '300000' },
  },
});
const [minutes, seed, changes] = [Number(values.minutes), Number(values.seed), Number(values.changes)];
if (!(minutes > 0) || !Number.isInteger(seed) || !Number.isInteger(changes) || changes < 1) {
  console.error('usage: kafka proof [--minutes 5] [--seed s] [--changes 300000]');
  process.exit(2);
}
console.log(
  `Kafka for ${minutes} minutes, ${changes} changes, seed ${seed} (what goes wrong, in which order: --seed ${seed})`,
);
const { text, isProven } = reportOf(
  await prove({ minutes, seed, changes, onProgress: (line) => console.error(line) }),
);
console.log(text);
process.exitCode = isProven ? 0 : 1;
