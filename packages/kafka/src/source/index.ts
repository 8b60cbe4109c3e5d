/** The source of this package. */
export { kafkaSource } from './kafka-source.js';
export type { SkippedRecord, UnreadableRecords } from './poison.js';
export type { KafkaSourceOptions, StartOffsets } from './source-options.js';
