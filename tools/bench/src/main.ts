/** The command `npm run bench`. */
import type { BenchCase } from './cases/case.js';
import { POSTGRES_CASES } from './cases/index.js';
import { withLaboratory } from './laboratory.js';
import { isWanted, parseOptions, UsageError, USAGE, type BenchOptions } from './options.js';
import { detailLines, jsonLine, tableHead, tableLine } from './report.js';

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(USAGE);
  else await measure(options, wantedCases(options));
}

function wantedCases(options: BenchOptions): BenchCase[] {
  if (options.suite !== 'postgres') throw new UsageError(`there is no suite ${options.suite}, only postgres`);
  const wanted = POSTGRES_CASES.filter(({ names }) => names.some((name) => isWanted(options, name)));
  if (wanted.length === 0)
    throw new UsageError(`no measurement has a name with ${options.filters.join(' or ')}`);
  return wanted;
}

async function measure(options: BenchOptions, cases: readonly BenchCase[]): Promise<void> {
  const progress = (text: string) => {
    if (!options.json || process.stderr.isTTY) process.stderr.write(`  ${text}\n`);
  };
  await withLaboratory(options, progress, async (laboratory) => {
    if (!options.json) process.stdout.write(`${laboratory.description}\n\n${tableHead()}\n`);
    for (const part of cases) {
      for (const line of (await part.measure(laboratory)).filter(({ name }) => laboratory.wants(name))) {
        const text = options.json ? jsonLine(line) : [tableLine(line), ...detailLines(line)].join('\n');
        process.stdout.write(`${text}\n`);
      }
    }
  });
}

await main().catch((error: unknown) => {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n\n${USAGE}`);
  process.exitCode = 2;
});
