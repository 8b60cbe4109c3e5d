import type { BenchCase } from '../cases/case.js';
import { copyCase } from './copy-case.js';
import type { KafkaLaboratory } from './laboratory.js';
import { latencyCase } from './latency-case.js';
import { killCase, memoryCase, toPostgresCase } from './process-cases.js';
import { profileCase } from './profile-case.js';
import { recoverCase } from './recover-case.js';

/** Every case of the suite `kafka`, in the order of the report. */
export const KAFKA_CASES: readonly BenchCase<KafkaLaboratory>[] = [
  ...[1, 12].flatMap((partitions) => [
    copyCase(100, partitions),
    copyCase(1_000, partitions, 0.8),
    copyCase(10_000, partitions, 0.95),
    copyCase(100_000, partitions, 0.95),
  ]),
  latencyCase(10),
  latencyCase(100),
  latencyCase(1_000),
  toPostgresCase(),
  profileCase(),
  recoverCase(),
  killCase(),
  memoryCase(),
];
