/** `npm run proof -- s3 --minutes 20`: see the README. */
import { readOptions } from '../soak-options.js';
import { s3ReportOf } from './report.js';
import { soakS3 } from './soak.js';

const { minutes, seed, rate } = readOptions({ rate: 300 });
console.log(`Soak of ${minutes} minutes, seed ${seed} (what goes wrong, in which order: --seed ${seed})`);
const { text, passed, failed } = s3ReportOf(
  await soakS3({ minutes, seed, rate, onProgress: (line) => console.error(line) }),
);
console.log(`${text}\n\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
