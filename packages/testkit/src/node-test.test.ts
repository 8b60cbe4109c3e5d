import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const script = fileURLToPath(new URL('../testing/node-test.mjs', import.meta.url));

test('the suite runs under node:test, with nothing but assert', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [script, 'upsert'], { maxBuffer: 1 << 24 });
  const [, passed] = /^# pass (\d+)$/m.exec(stdout) ?? /^ℹ pass (\d+)$/m.exec(stdout) ?? [];
  const [, failed] = /^# fail (\d+)$/m.exec(stdout) ?? /^ℹ fail (\d+)$/m.exec(stdout) ?? [];
  expect({ failed, hasRun: Number(passed) > 140 }).toEqual({ failed: '0', hasRun: true });
}, 120_000);
