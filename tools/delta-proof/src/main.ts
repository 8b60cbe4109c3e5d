/** `npm run proof -- delta`: tables of ours and of others, read by ours and by others. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { prove } from './proof.js';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '0' },
    seed: { type: 'string', default: String(randomInt(1, 2 ** 30)) },
  },
});
const [minutes, first] = [Number(values.minutes), Number(values.seed)];
if (!(minutes >= 0) || !Number.isInteger(first)) {
  console.error('usage: delta-proof [--minutes 0] [--seed s]');
  process.exit(2);
}
const end = performance.now() + minutes * 60_000;
let [passed, failed, seed] = [0, 0, first];
do {
  console.log(`seed ${seed}`);
  await prove({
    seed,
    onCheck({ name, failure }) {
      if (failure === undefined) passed += 1;
      else failed += 1;
      console.log(failure === undefined ? `  passed: ${name}` : `  FAILED: ${name}: ${failure}`);
    },
  });
  seed += 1;
} while (performance.now() < end);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
