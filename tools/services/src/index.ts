export { ServiceError } from './errors.js';
export type { ServiceErrorCode } from './errors.js';
export { startKafkaCluster } from './kafka/cluster.js';
export { startKafka } from './kafka/server.js';
export { missingForKafka } from './kafka/distribution.js';
export type { KafkaCluster, KafkaListener, KafkaOptions, KafkaServer, KafkaService } from './kafka/types.js';
export { missingForPgBouncer } from './pgbouncer/program.js';
export { startPgBouncer } from './pgbouncer/server.js';
export type { PgBouncer, PgBouncerOptions } from './pgbouncer/server.js';
export { startPostgres } from './postgres/server.js';
export type {
  PostgresAddress,
  PostgresOptions,
  PostgresServer,
  PostgresService,
  PostgresSnapshot,
  ShutdownMode,
  TestDatabase,
} from './postgres/types.js';
export { freePort } from './process/free-port.js';
export type { SingleProcess } from './process/single-process.js';
export { describeWithPython } from './python/describe.js';
export { missingForPython } from './python/packages.js';
export type { PythonRequirement } from './python/packages.js';
export { startPython } from './python/runner.js';
export type { Python, RunOptions } from './python/runner.js';
export type { ServiceName, ServiceTypes } from './resolve/definitions.js';
export { describeWith, describeWithServer, describeWithService } from './resolve/describe.js';
export type { TestRunner } from './resolve/describe.js';
export { isUnavailable, resolveServer, resolveService } from './resolve/resolve.js';
export type { Unavailable } from './resolve/resolve.js';
export { fetchDeltaJars, missingForSpark } from './python/spark.js';
export { missingForS3 } from './s3/programs.js';
export { startS3 } from './s3/server.js';
export type { S3Options, S3Program, S3Server, S3Service } from './s3/types.js';
