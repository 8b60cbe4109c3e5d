import { expect, test } from '@jest/globals';
import { callEos } from './eos.testing.js';
import { COMMANDS } from './commands/index.js';

const call = (...words: string[]) => callEos('/', words);

test.each([
  [['rnu'], 'there is no command "rnu": did you mean "run"?\n\nUsage: eos <command>; more by: eos --help'],
  [['run'], '<pipeline> is missing\n\nUsage: eos run <pipeline> [options]; more by: eos run --help'],
  [
    ['run', 'a.yaml', 'b.yaml'],
    '"b.yaml" is one operand too many\n\nUsage: eos run <pipeline> [options]; more by: eos run --help',
  ],
  [
    ['run', '--jsn', 'a.yaml'],
    'there is no option --jsn: did you mean "--json"?\n\nUsage: eos run <pipeline> [options]; more by: eos run --help',
  ],
  [
    ['status', 'a.yaml', '--interval'],
    "Option '--interval <value>' argument missing\n\nUsage: eos status <pipeline> [options]; more by: eos status --help",
  ],
])('%j is refused with what is right', async (words, message) => {
  expect(await call(...words)).toEqual({ code: 2, stdout: '', stderr: `EOS_CONFIG: ${message}\n` });
});

test('help for all, and for each with an example and the exit codes', async () => {
  const all = await call('--help');
  expect(all).toMatchObject({ code: 0, stderr: '' });
  expect(await call()).toEqual(all);
  for (const { name, summary } of COMMANDS) {
    expect(all.stdout).toContain(name);
    const { code, stdout } = await call(...name.split(' '), '--help');
    expect([code, stdout]).toEqual([0, expect.stringContaining(summary)]);
    expect(stdout).toContain(`Usage: eos ${name}`);
    expect(stdout).toMatch(/Examples:\n {2}\S/);
    expect(stdout).toContain('fenced: another copy');
    expect(await call('help', ...name.split(' '))).toEqual({ code, stdout, stderr: '' });
    // It is read in terminals of 100 columns.
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(110);
  }
});

test('the version is that of the package', async () => {
  expect(await call('--version')).toEqual({ code: 0, stdout: '0.1.0\n', stderr: '' });
});
