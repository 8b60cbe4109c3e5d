/** The formats of records. */
export { bytes, type RecordInput, type RecordOutput } from './bytes-format.js';
export { debezium, type DebeziumOptions } from './debezium-format.js';
export type {
  EncodedRecords,
  PoisonRecord,
  RecordDecoder,
  RecordEncoder,
  ReadableFormat,
  RecordFormat,
  RecordPlace,
  RowTarget,
} from './format.js';
export { json, type JsonOptions } from './json-format.js';
export type { KeyForm } from './json-keys.js';
export { murmur2, type PartitionedRecord, type Partitioner } from './partitioner.js';
export type { Headers, HeadersOption } from './record-headers.js';
export { serializer, type SerializerOptions } from './serializer-format.js';
