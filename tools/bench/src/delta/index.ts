import type { BenchCase } from '../cases/case.js';
import { deltaAppendCase } from './append.js';
import { deltaCommitCase } from './commits.js';
import type { DeltaLaboratory } from './laboratory.js';
import { deltaFromKafkaCase } from './from-kafka.js';
import { deltaOpenCase } from './open.js';
import { deltaKillCase, deltaMemoryCase } from './processes.js';
import { deltaUpsertCase } from './upsert.js';

/** In the order of the report. */
export const DELTA_CASES: readonly BenchCase<DeltaLaboratory>[] = [
  deltaAppendCase(100_000),
  deltaFromKafkaCase(),
  deltaUpsertCase(1_000_000),
  deltaUpsertCase(10_000_000),
  deltaCommitCase(),
  deltaOpenCase(),
  deltaKillCase(),
  deltaMemoryCase(),
];
