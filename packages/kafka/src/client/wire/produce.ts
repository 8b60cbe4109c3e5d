import type { Api } from './api.js';

/** At most one batch for each partition. */
export interface ProduceRequest {
  readonly transactionalId: string | null;
  readonly timeoutMs: number;
  readonly topics: readonly {
    readonly topic: string;
    readonly batches: readonly { readonly partition: number; readonly bytes: Buffer }[];
  }[];
}

export interface ProducedBatch {
  readonly topic: string;
  readonly partition: number;
  readonly error: number;
  readonly baseOffset: bigint;
  readonly message: string | null;
}

const ALL_REPLICAS = -1;

export const produceApi: Api<ProduceRequest, readonly ProducedBatch[]> = {
  name: 'Produce',
  key: 0,
  version: 9,
  encode(writer, { transactionalId, timeoutMs, topics }) {
    writer.compactNullableString(transactionalId).int16(ALL_REPLICAS).int32(timeoutMs);
    writer.compactArray(topics, ({ topic, batches }) => {
      writer.compactString(topic);
      writer.compactArray(batches, ({ partition, bytes }) =>
        writer
          .int32(partition)
          .unsignedVarint(bytes.length + 1)
          .bytes(bytes)
          .tags(),
      );
      writer.tags();
    });
    writer.tags();
  },
  decode(reader) {
    const topics = reader.compactArray(() => {
      const topic = reader.compactString();
      const batches = reader.compactArray((): ProducedBatch => {
        const [partition, error, baseOffset] = [reader.int32(), reader.int16(), reader.int64()];
        reader.int64();
        reader.int64();
        reader.compactArray(() => {
          reader.int32();
          reader.compactNullableString();
          reader.tags();
        });
        const message = reader.compactNullableString();
        reader.tags();
        return { topic, partition, error, baseOffset, message };
      });
      reader.tags();
      return batches;
    });
    return topics.flat();
  },
};
