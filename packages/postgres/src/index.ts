export { copyTextEncoder, type CopyTextBlock, type CopyTextEncoder } from './copy-text.js';
export { eosPackage } from './eos-package.js';
export type { TableName } from './identifiers.js';
export type { PostgresSinkOptions } from './options.js';
export type { RoutedRow, RoutedSinkOptions, RoutedTable, RoutedTables } from './route-options.js';
export { postgresSink } from './sink.js';
