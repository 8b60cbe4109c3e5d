export type { DeltaPlaceOptions, DeltaSinkOptions, Evolution, Mode } from './options.js';
export { deltaSink } from './sink/sink.js';
export { eosPackage } from './eos-package.js';
export type { DeletionVector, Protocol, Transaction, Version } from './log/actions.js';
export type { DeltaField, DeltaType } from './schema/delta-schema.js';
export { deltaSource, type DeltaSourceOptions } from './source/delta-source.js';
export type { Condition } from './statistics/conditions.js';
export {
  DeltaTable,
  type DeltaTableOptions,
  type ReadChangesOptions,
  type ReadTableRowsOptions,
  type TableChanges,
} from './table/delta-table.js';
export type { TableRow } from './table/file-rows.js';
export type { HistoryEntry } from './table/history.js';
export type { TableFile } from './table/scan.js';
