/** How far a verification is, for somebody who looks at a terminal. */
import { isForPrograms, type CommandCall } from '../command.js';
import { grouped } from '../numbers.js';
import { openBar } from '../run/progress-bar.js';
import type { Progress } from './compare.js';

export interface VerifyProgress {
  readonly show: (progress: Progress) => void;
  stop(): void;
}

const WORDS: Readonly<Record<Progress['step'], string>> = {
  source: 'reading the source',
  destination: 'reading the destination',
  'source again': 'finding the rows that differ: reading the source again',
  'destination again': 'finding the rows that differ: reading the destination again',
};

/** On standard error; nothing where the output goes to a program. */
export function verifyProgress(call: CommandCall): VerifyProgress {
  if (isForPrograms(call)) return { show: () => undefined, stop: () => undefined };
  const bar = openBar(call.io.stderr);
  return {
    show: ({ step, rows }) => bar.show(`${WORDS[step]}, ${grouped(rows)} rows`, undefined),
    stop: () => bar.stop(),
  };
}
