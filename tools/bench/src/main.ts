/** The command `npm run bench`. */
import { isWanted, parseOptions, UsageError, USAGE, type BenchOptions } from './options.js';
import { detailLines, jsonLine, tableHead, tableLine } from './report.js';
import type { BenchSuite } from './suite.js';
import { SUITES } from './suites.js';

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(USAGE);
  else await measure(options, wantedSuite(options));
}

function wantedSuite(options: BenchOptions): BenchSuite {
  const suite = Object.hasOwn(SUITES, options.suite) ? SUITES[options.suite] : undefined;
  if (suite === undefined)
    throw new UsageError(`there is no suite ${options.suite}, only ${Object.keys(SUITES).join(', ')}`);
  if (!suite.names.some((name) => isWanted(options, name)))
    throw new UsageError(`no measurement has a name with ${options.filters.join(' or ')}`);
  return suite;
}

async function measure(options: BenchOptions, suite: BenchSuite): Promise<void> {
  await suite.run({
    options,
    progress(text) {
      if (!options.json || process.stderr.isTTY) process.stderr.write(`  ${text}\n`);
    },
    head(description) {
      if (!options.json) process.stdout.write(`${description}\n\n${tableHead()}\n`);
    },
    line(measured) {
      const text = options.json
        ? jsonLine(measured)
        : [tableLine(measured), ...detailLines(measured)].join('\n');
      process.stdout.write(`${text}\n`);
    },
  });
}

await main().catch((error: unknown) => {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
});
