/** A suite: the cases of one sink, and the laboratory that they share. */
import type { BenchCase } from './cases/case.js';
import type { Measurement } from './measurement.js';
import { isWanted, type BenchOptions } from './options.js';

/** What every suite is given. */
export interface BenchRun {
  readonly options: BenchOptions;
  /** Tells a person how far it is. */
  readonly progress: (text: string) => void;
  /** What runs here, once, before the first line. */
  readonly head: (description: string) => void;
  /** A line of the report, as soon as it is measured. */
  readonly line: (measured: Measurement) => void;
}

export interface BenchSuite {
  /** The names of all its measurements. */
  readonly names: readonly string[];
  /** Measures what the options ask for. */
  run(run: BenchRun): Promise<void>;
}

/** What a laboratory has at least. */
interface Described {
  readonly description: string;
}

/**
 * @param withLaboratory starts what the cases need, runs `work` with it, and stops it whatever happens
 */
export function suiteOf<Laboratory extends Described>(
  cases: readonly BenchCase<Laboratory>[],
  withLaboratory: (
    options: BenchOptions,
    progress: (text: string) => void,
    work: (laboratory: Laboratory) => Promise<void>,
  ) => Promise<void>,
): BenchSuite {
  return {
    names: cases.flatMap(({ names }) => names),
    async run({ options, progress, head, line }) {
      const wants = (name: string) => isWanted(options, name);
      await withLaboratory(options, progress, async (laboratory) => {
        head(laboratory.description);
        for (const part of cases.filter(({ names }) => names.some(wants)))
          for (const measured of await part.measure(laboratory)) if (wants(measured.name)) line(measured);
      });
    },
  };
}
