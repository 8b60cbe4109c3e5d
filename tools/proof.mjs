/**
 * `npm run proof -- core | postgres [--minutes 10] [--seed s]`: what takes longer than a test may. Each round has its own seed, made
 * from the first one, and prints it. Ends with `N passed, N failed`.
 */
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

const usage = 'usage: npm run proof -- core | postgres [--minutes 10] [--seed s]';

/** By package: the command of one round. */
const rounds = {
  core: (seed) => ['tools/simulation/dist/main.js', '--schedules', '50000', '--seed', String(seed)],
  postgres: (seed) => ['tools/quickstart/dist/main.js', '--seed', String(seed)],
};

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' } },
    });
    const [name, ...rest] = positionals;
    const minutes = Number(values.minutes);
    const seed = values.seed === undefined ? randomInt(1, 2 ** 30) : Number(values.seed);
    const valid =
      Object.hasOwn(rounds, name ?? '') && rest.length === 0 && minutes > 0 && Number.isInteger(seed);
    if (!valid) throw new Error(usage);
    return { round: rounds[name], minutes, seed };
  } catch (error) {
    console.error(error.message);
    process.exit(2);
  }
}

const { round, minutes, seed } = readArguments();
const end = performance.now() + minutes * 60_000;
let [passed, failed] = [0, 0];
for (let next = seed; performance.now() < end; next++) {
  const { status, stdout } = spawnSync('node', round(next), {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ok = status === 0;
  if (ok) passed++;
  else failed++;
  console.log(ok ? `seed ${next}: ${stdout.trimEnd().split('\n').at(-1)}` : `seed ${next} FAILED\n${stdout}`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
