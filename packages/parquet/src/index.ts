export type { ColumnArrays } from './columns/row-group-builder.js';
export type { BloomFilterOptions } from './encode/bloom-filter.js';
export type { Compression } from './encode/codecs.js';
export type { EncodableColumn, EncoderOptions, FileEncoder, ParquetEncoder } from './encode/encoder.js';
export type { ParquetElement, ParquetField, ParquetType, ScalarKind, ScalarType } from './schema/field.js';
export { rowFields, type RowFieldOptions } from './schema/row-fields.js';
export type { ScalarValue } from './values/stored-value.js';
export type { ColumnSummary, ParquetFile } from './write/file-statistics.js';
export type { ParquetWriteOptions } from './write/options.js';
export {
  nestedParquetWriter,
  parquetWriter,
  type ParquetWriter,
  type WriteBytes,
} from './write/parquet-writer.js';
export type { ByteSource } from './read/byte-source.js';
export type { ColumnFilter } from './read/column-filter.js';
export {
  openParquet,
  type ParquetFileReader,
  type ReadRowsOptions,
  type RowBatch,
} from './read/parquet-file.js';
export type { RowGroupInfo } from './read/row-groups.js';
