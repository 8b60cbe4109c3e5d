/** The command `npm run bench`. */
import { POSTGRES_CASES } from './cases/index.js';
import { withLaboratory } from './laboratory.js';
import { parseOptions, USAGE, type BenchOptions } from './options.js';
import { detailLines, jsonLine, tableHead, tableLine } from './report.js';

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (options.suite !== 'postgres') throw new TypeError(`there is no suite ${options.suite}, only postgres`);
  return await runSuite(options);
}

async function runSuite(options: BenchOptions): Promise<number> {
  const progress = (text: string) => {
    if (!options.json || process.stderr.isTTY) process.stderr.write(`  ${text}\n`);
  };
  return await withLaboratory(options, progress, async (laboratory) => {
    const cases = POSTGRES_CASES.filter(({ names }) => names.some(laboratory.wants));
    if (cases.length === 0)
      throw new TypeError(`no measurement has a name with ${options.filters.join(' or ')}`);
    if (!options.json) process.stdout.write(`${laboratory.description}\n\n${tableHead()}\n`);
    for (const part of cases) {
      for (const line of (await part.measure(laboratory)).filter(({ name }) => laboratory.wants(name))) {
        process.stdout.write(
          options.json ? `${jsonLine(line)}\n` : `${[tableLine(line), ...detailLines(line)].join('\n')}\n`,
        );
      }
    }
    return 0;
  });
}

process.exitCode = await main().catch((error: unknown) => {
  if (!(error instanceof TypeError)) throw error;
  process.stderr.write(`${error.message}\n\n${USAGE}`);
  return 2;
});
