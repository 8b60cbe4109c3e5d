/** A round of `npm run proof -- verify`: `eos verify` finds one lost, one doubled, one changed and one foreign row among a million. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const [, seed = '1'] = process.argv.slice(2);
const ROWS = '1000000';
const start = performance.now();
const { status } = spawnSync(
  process.execPath,
  [
    ...['--experimental-vm-modules', '../../node_modules/jest/bin/jest.js'],
    ...['src/commands/verify.test.ts', '-t', 'in bounded memory'],
  ],
  {
    cwd: fileURLToPath(new URL('../packages/cli', import.meta.url)),
    env: { ...process.env, EOS_VERIFY_ROWS: ROWS, EOS_TEST_SEED: seed },
    stdio: ['ignore', 'ignore', 'inherit'],
  },
);
console.log(
  `${ROWS} rows written, damaged and verified in ${Math.round((performance.now() - start) / 1000)} s`,
);
process.exitCode = status ?? 1;
