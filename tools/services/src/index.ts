export { ServiceError } from './errors.js';
export type { ServiceErrorCode } from './errors.js';
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
