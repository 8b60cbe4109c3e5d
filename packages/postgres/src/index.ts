export { copyTextEncoder, type CopyTextBlock, type CopyTextEncoder } from './copy/copy-text.js';
export { eosPackage } from './eos-package.js';
export type { TableName } from './connection/identifiers.js';
export type { PostgresSinkOptions } from './options.js';
export type { RoutedRow, RoutedSinkOptions, RoutedTable, RoutedTables } from './routes/route-options.js';
export { postgresSink } from './sink.js';
