export { eosPackage } from './eos-package.js';
export { s3Sink } from './sink.js';
export type { S3SinkOptions, StoreOptions } from './options.js';
export { openTable, type OpenTableOptions, type S3Table } from './reader/open-table.js';
export type {
  FileCompression,
  FileFormat,
  FileOptions,
  PartitionValues,
  RollOptions,
} from './files/settings.js';
export type { ColumnRange, DataFile } from './files/data-files.js';
export type { LiveFile } from './log/index.js';
export { s3Source, type S3SourceOptions } from './source/s3-source.js';
