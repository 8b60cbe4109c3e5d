import { parseArgs } from 'node:util';
import { MAX_SEED, randomSeed } from './random.js';

export const USAGE = `Usage: npm run quickstart [-- options]

Writes 200,000 flights and a changelog of 2,977 routes (of which 2,966 stay, as 11 end with a
delete) into a PostgreSQL of its own, and the flights as Parquet files into a folder, kills the writing process again and again, and checks that
every row arrived exactly once.

Options:
  --seed <n>  where the kills strike; a run prints its seed; the same seed repeats the
              kills, but not every outcome: which rows a kill finds under way is left to timing
  --unsafe    commits offsets apart from rows, as is often done by hand: loses and doubles rows
  --keep      leaves database and files until Ctrl-C, for a look at them
  --help      prints this

Exit code: 0 exactly once; 1 rows lost, doubled or wrong, or the run failed; 2 wrong options.`;

export interface Options {
  readonly seed: number;
  readonly unsafe: boolean;
  readonly keep: boolean;
}

/** An option that is not known, or a value that is none. */
export class UsageError extends Error {}

/**
 * Reads the command line; undefined where help was asked for.
 * @throws UsageError
 */
export function parseOptions(args: readonly string[]): Options | undefined {
  const { seed, unsafe, keep, help } = parsed(args);
  if (help) return undefined;
  return { seed: seed === undefined ? randomSeed() : parseSeed(seed), unsafe, keep };
}

function parsed(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        seed: { type: 'string' },
        unsafe: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    return values;
  } catch (error) {
    // parseArgs reports what the user typed by a TypeError whose message says it well.
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function parseSeed(text: string): number {
  const seed = Number(text);
  if (/^\d+$/.test(text) && seed <= MAX_SEED) return seed;
  throw new UsageError(`--seed must be a whole number from 0 to ${MAX_SEED}, not ${JSON.stringify(text)}`);
}
