/** The source of this package. */
export type { JoinedGroup } from '../group/group-member.js';
export { kafkaSource } from './kafka-source.js';
export type { SkippedRecord, UnreadableRecords } from './poison.js';
export type { KafkaSourceOptions, StartOffsets } from './source-options.js';
