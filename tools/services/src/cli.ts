#!/usr/bin/env node
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { parseArgs } from 'node:util';

import { serviceNames, startByName } from './resolve/definitions.js';
import type { ServiceName, StartedByName } from './resolve/definitions.js';

const usage = `Starts real services on 127.0.0.1, without containers.

  services start <${serviceNames.join('|')}> [--port <number>]
      Runs one service in the foreground and prints its address. Ctrl-C stops it.

  services run <${serviceNames.join('|')}>... -- <command> [argument...]
      Runs a command with the addresses in its environment, then stops the services.
`;

function parseName(text: string | undefined): ServiceName {
  const name = serviceNames.find((known) => known === text);
  if (name === undefined) throw new TypeError(`unknown service: ${text ?? '(none)'}\n\n${usage}`);
  return name;
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new TypeError(`not a port: ${text}`);
  return port;
}

async function startInForeground(name: ServiceName, options: { port?: number }): Promise<number> {
  const interrupted = Promise.race(
    (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((signal) => once(process, signal)),
  );
  // Nothing that runs here keeps Node alive: servers are not waited for.
  const stayAlive = setInterval(() => undefined, 60_000);
  try {
    const started = await Promise.race([startByName(name, options), interrupted]);
    // In the middle of a start: the watchdog removes what there is already.
    if (Array.isArray(started)) process.exit(130);
    process.stdout.write(`${started.variable}=${started.address}\n`);
    await interrupted;
    await started.server.stop();
    return 0;
  } finally {
    clearInterval(stayAlive);
  }
}

async function runCommand(names: readonly ServiceName[], command: readonly string[]): Promise<number> {
  const [program, ...parameters] = command;
  if (program === undefined) throw new TypeError(`no command behind --\n\n${usage}`);
  const started: StartedByName<ServiceName>[] = [];
  try {
    for (const name of names) started.push(await startByName(name, {}));
    const addresses = Object.fromEntries(started.map(({ variable, address }) => [variable, address]));
    const shell = process.platform === 'win32';
    const child = spawn(program, parameters, {
      stdio: 'inherit',
      shell,
      env: { ...process.env, ...addresses },
    });
    // A Ctrl-C reaches the command too; what it makes of it decides.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => child.kill(signal));
    return await exitStatus(child);
  } finally {
    for (const { server } of started.reverse()) await server.stop();
  }
}

function exitStatus(child: ReturnType<typeof spawn>): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
    );
  });
}

async function main(): Promise<number> {
  const { values, positionals, tokens } = parseArgs({
    allowPositionals: true,
    tokens: true,
    options: { port: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help === true) {
    process.stdout.write(usage);
    return 0;
  }
  const [action, ...rest] = positionals;
  if (action === 'start' && rest.length === 1) {
    return startInForeground(
      parseName(rest[0]),
      values.port === undefined ? {} : { port: parsePort(values.port) },
    );
  }
  if (action === 'run') {
    const terminator = tokens.find(({ kind }) => kind === 'option-terminator')?.index ?? Infinity;
    const isBefore = (position: number): boolean => position < terminator;
    const names = tokens.flatMap((token) =>
      token.kind === 'positional' && isBefore(token.index) ? token.value : [],
    );
    return runCommand(names.slice(1).map(parseName), rest.slice(names.length - 1));
  }
  throw new TypeError(usage);
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
