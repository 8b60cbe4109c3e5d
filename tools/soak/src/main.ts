/** `npm run proof -- postgres --minutes 30`: see the README. */
import { reportOf } from './report.js';
import { readOptions } from './soak-options.js';
import { soak } from './soak.js';

const { minutes, seed, rate } = readOptions({ rate: 1_000 });
console.log(`Soak of ${minutes} minutes, seed ${seed} (what goes wrong, in which order: --seed ${seed})`);
const { text, passed, failed } = reportOf(
  await soak({ minutes, seed, rate, onProgress: (line) => console.error(line) }),
);
console.log(`${text}\n\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
