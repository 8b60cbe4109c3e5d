import { POSTGRES_CASES } from './cases/index.js';
import { DELTA_CASES } from './delta/index.js';
import { withDeltaLaboratory } from './delta/laboratory.js';
import { KAFKA_CASES } from './kafka/cases.js';
import { withKafkaLaboratory } from './kafka/laboratory.js';
import { withLaboratory } from './laboratory.js';
import { S3_CASES } from './s3/index.js';
import { withS3Laboratory } from './s3/laboratory.js';
import { suiteOf, type BenchSuite } from './suite.js';

/** By the name that `npm run bench --` takes. */
export const SUITES: Readonly<Record<string, BenchSuite>> = {
  delta: suiteOf(DELTA_CASES, withDeltaLaboratory),
  kafka: suiteOf(KAFKA_CASES, withKafkaLaboratory),
  postgres: suiteOf(POSTGRES_CASES, withLaboratory),
  s3: suiteOf(S3_CASES, withS3Laboratory),
};
