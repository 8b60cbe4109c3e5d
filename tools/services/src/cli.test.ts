import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { describe, expect, test } from '@jest/globals';

import { withClient } from './postgres/database.js';
import { freePort } from './process/free-port.js';

// A child of a test runs what was built.
const built = fileURLToPath(new URL('../dist/cli.js', import.meta.url));

const run = (...parameters: string[]) => {
  const child = spawn(process.execPath, [built, ...parameters], { stdio: ['ignore', 'pipe', 'pipe'] });
  return { child, output: text(child.stdout), errors: text(child.stderr), status: once(child, 'exit') };
};

(existsSync(built) ? describe : describe.skip)('the command line', () => {
  test('runs a service until it is interrupted', async () => {
    const port = await freePort();
    const child = spawn(process.execPath, [built, 'start', 'postgres', '--port', String(port)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const status = once(child, 'exit');
    const line = String((await once(child.stdout, 'data'))[0]);
    const url = /^EOS_TEST_POSTGRES_URL=(\S+)\n$/.exec(line)?.[1] ?? '';
    expect(url).toContain(`127.0.0.1:${port}/`);
    await withClient(url, (client) => client.query('SELECT 1'));
    child.kill('SIGINT');
    expect(await status).toEqual([0, null]);
    await expect(withClient(url, (client) => client.query('SELECT 1'))).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
  }, 30_000);

  test('runs a command with a service, and ends as the command does', async () => {
    const program = 'console.log(process.env.EOS_TEST_POSTGRES_URL, process.argv[1]); process.exitCode = 7';
    const { output, status } = run('run', 'postgres', '--', process.execPath, '-e', program, '--', '--port');
    expect(await status).toEqual([7, null]);
    expect(await output).toMatch(/^postgresql:\/\/postgres:\w+@127\.0\.0\.1:\d+\/postgres --port\n$/);
  }, 30_000);

  test.each([
    [['start', 'mysql'], 'unknown service: mysql'],
    [['start', 'postgres', '--port', '0'], 'not a port: 0'],
    [['run', 'postgres'], 'no command'],
    [[], 'services start'],
  ])('explains itself for %j', async (parameters, message) => {
    const { errors, status } = run(...parameters);
    expect(await status).toEqual([1, null]);
    expect(await errors).toContain(message);
  });
});
