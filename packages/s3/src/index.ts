export { s3Sink } from './sink.js';
export type { S3SinkOptions, StoreOptions } from './options.js';
