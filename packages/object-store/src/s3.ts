export { s3ObjectStore } from './s3/s3-store.js';
export type { S3ObjectStoreOptions } from './s3/options.js';
