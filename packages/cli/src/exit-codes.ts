/** How the command ends: documented in the README and in `--help`, and never changed within a major version. */
import { isEosError } from '@eos/core';

export const EXIT = {
  /** The source came to its end, or what was asked for was told. */
  done: 0,
  /** The run failed, or `verify` found rows that are wrong. */
  failed: 1,
  /** The command line or the configuration is wrong: nothing was read or written. */
  usage: 2,
  /** Another copy of the pipeline took over: this one must not be started again beside it. */
  fenced: 3,
  /** A signal stopped the run before the end of the source. What was written is committed; the next run goes on. */
  stopped: 4,
  /** `verify` can say nothing: the source cannot be read again, or the transform does not give the same rows again. */
  unverifiable: 5,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_TEXT = `Exit codes:
  0    done
  1    the run failed, or rows are wrong
  2    the command line or the configuration is wrong
  3    fenced: another copy of the pipeline took over
  4    stopped by SIGINT or SIGTERM before the end: run it again to go on
  5    verify can say nothing: source or transform do not give the same rows again
  130, 143    ended at once by a second SIGINT or SIGTERM`;

const CONFIGURATION_CODES = ['EOS_CONFIG', 'EOS_GUARANTEE', 'EOS_CHANGELOG_MODE'] as const;

/** The exit code that an error stands for. */
export function exitCodeOf(error: unknown): ExitCode {
  if (isEosError(error, 'EOS_FENCED')) return EXIT.fenced;
  return CONFIGURATION_CODES.some((code) => isEosError(error, code)) ? EXIT.usage : EXIT.failed;
}
