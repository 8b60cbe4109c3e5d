import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

test.each([
  ['the suite runs under node:test, with nothing but assert', ['../testing/node-test.mjs', 'upsert']],
  ['the example of the README, a sink in a folder, passes the suite', ['../example/folder-sink.test.mjs']],
])(
  '%s',
  async (_name, [script = '', ...further]) => {
    const file = fileURLToPath(new URL(script, import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [file, ...further], {
      maxBuffer: 1 << 26,
    }).catch((error: unknown) => resultOf(error));
    const [, passed] = /^# pass (\d+)$/m.exec(stdout) ?? /^ℹ pass (\d+)$/m.exec(stdout) ?? [];
    const [, failed] = /^# fail (\d+)$/m.exec(stdout) ?? /^ℹ fail (\d+)$/m.exec(stdout) ?? [];
    if (failed !== '0') throw new Error(stdout.slice(stdout.search(/not ok|✖/)));
    expect(Number(passed)).toBeGreaterThan(140);
  },
  300_000,
);

/** What a program printed before it failed. */
function resultOf(error: unknown): { stdout: string } {
  if (error instanceof Error && 'stdout' in error) return { stdout: String(error.stdout) };
  throw error;
}
