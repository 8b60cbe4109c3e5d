/** The command line: `npm run quickstart`. */
import { once } from 'node:events';
import { parseOptions, USAGE, UsageError, type Options } from './options.js';
import { startProgress } from './progress.js';
import { openQuickstart, type Introduction, type Quickstart } from './quickstart.js';
import { isProved, report, verdict } from './report.js';

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

const code = await main(process.argv.slice(2));
// Not left to the event loop: Node 20 may spin for ever in its own clean-up when it ends by itself just as children and
// sockets close (nodejs/node#47748).
process.stdout.write('', () => process.exit(code));

async function main(args: readonly string[]): Promise<number> {
  const stop = stopOnSignals();
  try {
    const options = parseOptions(args);
    if (options !== undefined) return await quickstart(options, stop.signal);
    print(USAGE);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`${error.message}\n\n${USAGE}\n`);
      return 2;
    }
    if (stop.signal.aborted) {
      process.stderr.write('stopped\n');
      return stop.exitCode();
    }
    process.stderr.write(
      `the quickstart failed: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    return 1;
  }
}

async function quickstart(options: Options, signal: AbortSignal): Promise<number> {
  const start = performance.now();
  print(
    `Eos quickstart, seed ${options.seed} (the same again: npm run quickstart -- ${argumentsOf(options)})`,
  );
  const run = await openQuickstart({ ...options, startProgress, signal });
  try {
    print(introduction(run.introduction, options));
    const result = await run.run();
    print(`${report(result)}Checked ${seconds(performance.now() - start)} s after the start.\n`);
    if (options.keep) print(invitation(run, options));
    print(verdict(result));
    if (options.keep) await aborted(signal);
    return isProved(result) ? 0 : 1;
  } finally {
    await run.close();
  }
}

function introduction({ version, rows, kills }: Introduction, { unsafe }: Options): string {
  const how = unsafe
    ? 'UNSAFE: the writer commits rows and offsets apart from each other, as is often done by hand.'
    : 'The writer commits rows and offsets together, through Eos.';
  return `PostgreSQL ${version}; ${rows.flights} flights into an append-only table, ${rows.routes} changes into a table of routes,
the flights once more as files into a folder, and both once more into Delta tables there.
${how}
It is killed ${kills} times, by SIGKILL, and started again; then tables and files are checked, row by row.`;
}

/** The server of npm comes without psql. */
function invitation({ url, folder }: Quickstart, { unsafe }: Options): string {
  return `The database runs until Ctrl-C. To look at it, in another terminal:
  psql '${url}'
    SELECT * FROM routes ORDER BY flights DESC LIMIT 5;
    SELECT * FROM ${unsafe ? 'progress' : 'eos.positions'};
(psql is in the packages postgresql-client or libpq; any other client takes the same URL.)
The files are in ${folder}.
`;
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  // An abort signal alone does not keep a process alive.
  const alive = setInterval(() => undefined, 60_000);
  await once(signal, 'abort');
  clearInterval(alive);
}

function argumentsOf({ seed, unsafe }: Options): string {
  return `--seed ${seed}${unsafe ? ' --unsafe' : ''}`;
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1000).toFixed(1);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

interface Stop {
  readonly signal: AbortSignal;
  exitCode(): number;
}

/** The first signal ends the run in order; the second one at once, and a watchdog tidies up. */
function stopOnSignals(): Stop {
  const controller = new AbortController();
  let exitCode = 1;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(name, () => {
      exitCode = EXIT_CODES[name];
      if (controller.signal.aborted) process.exit(exitCode);
      controller.abort();
    });
  }
  // Nobody reads any more, as behind `| head`.
  process.stdout.on('error', () => controller.abort());
  return { signal: controller.signal, exitCode: () => exitCode };
}
