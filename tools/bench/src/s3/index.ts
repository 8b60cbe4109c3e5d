import type { BenchCase } from '../cases/case.js';
import { bytesCase } from './bytes.js';
import { latencyCase, requestsCase } from './commits.js';
import type { S3Laboratory } from './laboratory.js';
import { killCase, largeFileCase, memoryCase } from './processes.js';
import { recoverCase } from './recover.js';

/** In the order of the report. */
export const S3_CASES: readonly BenchCase<S3Laboratory>[] = [
  bytesCase('ndjson-gzip', { format: 'ndjson', compression: 'gzip' }),
  bytesCase('parquet', { format: 'parquet' }),
  requestsCase(),
  latencyCase(),
  recoverCase(),
  killCase(),
  memoryCase(),
  largeFileCase(),
];
