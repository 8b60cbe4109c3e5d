/** The command line. */
import { parseArgs } from 'node:util';
import { messageOf } from '@eos/core';

export interface BenchOptions {
  /** Which sink: a name of `SUITES`. */
  readonly suite: string;
  /** JSON lines for programs instead of a table. */
  readonly json: boolean;
  /** Only measurements whose name contains one of these. */
  readonly filters: readonly string[];
  /** Rows of a throughput case. */
  readonly rows: number;
  /** Measured runs of each side, after one to warm up. */
  readonly runs: number;
  /** Commits that lie behind the measured recover. */
  readonly commits: number;
  /** Rows of the run whose memory is watched. */
  readonly memoryRows: number;
  /** Little work, for checking that every case runs: its numbers mean nothing. */
  readonly quick: boolean;
  readonly help: boolean;
}

export const USAGE = `npm run bench -- SUITE [options]

  --json            one JSON line a measurement
  --filter TEXT     only measurements whose name contains TEXT; may be repeated
  --rows N          rows of a throughput case (1,000,000)
  --runs N          measured runs of each side (5)
  --commits N       commits behind the measured recover (1,000,000)
  --memory-rows N   rows of the run whose memory is watched (5,000,000)
  --quick           little of everything: checks that each case runs, its numbers mean nothing
  --help
`;

const FULL = { rows: 1_000_000, runs: 5, commits: 1_000_000, 'memory-rows': 5_000_000 };
const QUICK = { rows: 20_000, runs: 1, commits: 2_000, 'memory-rows': 100_000 };

/** What cannot be asked for. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

type Count = keyof typeof FULL;

/** Reads the arguments behind `npm run bench --`. @throws UsageError that says what is wrong with them */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parsed(args);
  const [suite = 'postgres', ...more] = positionals;
  if (more.length > 0) throw new UsageError(`one suite at a time, not ${positionals.join(' ')}`);
  const count = (name: Count) => readCount(name, values[name] ?? (values.quick ? QUICK : FULL)[name]);
  return {
    suite,
    json: values.json,
    filters: values.filter,
    rows: count('rows'),
    runs: count('runs'),
    commits: count('commits'),
    memoryRows: count('memory-rows'),
    quick: values.quick,
    help: values.help,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        filter: { type: 'string', multiple: true, default: [] },
        rows: { type: 'string' },
        runs: { type: 'string' },
        commits: { type: 'string' },
        'memory-rows': { type: 'string' },
        quick: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(messageOf(error), { cause: error });
  }
}

/** Whether a measurement of this name was asked for. */
export function isWanted({ filters }: Pick<BenchOptions, 'filters'>, name: string): boolean {
  return filters.length === 0 || filters.some((text) => name.includes(text));
}

function readCount(name: Count, text: string | number): number {
  const value = Number(String(text).replaceAll(/[_,]/g, ''));
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new UsageError(`--${name} must be a whole number of at least 1, not ${text}`);
}
