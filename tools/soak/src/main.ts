/** `npm run proof -- postgres --minutes 30`: see the README. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { reportOf } from './report.js';
import { soak } from './soak.js';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(randomInt(1, 2 ** 30)) },
    rate: { type: 'string', default: '1000' },
  },
});
const [minutes, seed, rate] = [Number(values.minutes), Number(values.seed), Number(values.rate)];
if (!(minutes > 0) || !Number.isInteger(seed) || !(rate > 0)) {
  console.error('usage: soak [--minutes 30] [--seed s] [--rate 1000]');
  process.exit(2);
}
console.log(`Soak of ${minutes} minutes, seed ${seed} (what goes wrong, in which order: --seed ${seed})`);
const { text, passed, failed } = reportOf(
  await soak({ minutes, seed, rate, onProgress: (line) => console.error(line) }),
);
console.log(`${text}\n\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
