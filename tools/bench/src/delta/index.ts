import type { BenchCase } from '../cases/case.js';
import { deltaAppendCase } from './append.js';
import { deltaCommitCase } from './commits.js';
import type { DeltaLaboratory } from './laboratory.js';
import { deltaOpenCase } from './open.js';
import { deltaKillCase, deltaMemoryCase } from './processes.js';

/** In the order of the report. */
export const DELTA_CASES: readonly BenchCase<DeltaLaboratory>[] = [
  deltaAppendCase(100_000),
  deltaCommitCase(),
  deltaOpenCase(),
  deltaKillCase(),
  deltaMemoryCase(),
];
