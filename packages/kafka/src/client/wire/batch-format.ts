/**
 * The head of a record batch (magic 2), by the offset of each field. Source: kafka.apache.org, "Record Batch". What is not covered by the
 * checksum comes before `attributes`.
 */
export const FIELD = {
  baseOffset: 0,
  /** Of everything behind this field. */
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  checksum: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  count: 57,
  records: 61,
} as const;

export const HEAD_BYTES = FIELD.records;
/** Base offset and length: what is known before a batch is known to be whole. */
export const FRAME_BYTES = FIELD.leaderEpoch;

export const ATTRIBUTE = { compression: 0x07, transactional: 0x10, control: 0x20 } as const;

export const MAGIC = 2;
