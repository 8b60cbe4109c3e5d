/** The command line of a soak. */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';

export interface CommandLine {
  readonly minutes: number;
  readonly seed: number;
  readonly rate: number;
}

/** Ends the process where the command line is wrong. */
export function readOptions({ rate: usualRate }: Pick<CommandLine, 'rate'>): CommandLine {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '30' },
      seed: { type: 'string', default: String(randomInt(1, 2 ** 30)) },
      rate: { type: 'string', default: String(usualRate) },
    },
  });
  const [minutes, seed, rate] = [Number(values.minutes), Number(values.seed), Number(values.rate)];
  if (minutes > 0 && Number.isInteger(seed) && rate > 0) return { minutes, seed, rate };
  console.error(`usage: soak [--minutes 30] [--seed s] [--rate ${usualRate}]`);
  return process.exit(2);
}
