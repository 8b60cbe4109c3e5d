import type { Api } from './api.js';

export interface FetchRequest {
  readonly maxWaitMs: number;
  readonly minBytes: number;
  /** Of the whole answer; the first batch comes whole, however large. */
  readonly maxBytes: number;
  /** `committed`: not beyond the last stable offset, and with the list of what was aborted. */
  readonly isolation: 'uncommitted' | 'committed';
  readonly topics: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly offset: bigint;
      readonly maxBytes: number;
    }[];
  }[];
}

export interface FetchedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly error: number;
  readonly highWatermark: bigint;
  readonly lastStableOffset: bigint;
  readonly logStartOffset: bigint;
  /** As the broker lists them: in the order in which they ended. */
  readonly aborted: readonly { readonly producerId: bigint; readonly firstOffset: bigint }[];
  /** Whole record batches, and maybe a part of one more. A view into the answer. */
  readonly records: Buffer;
}

const NONE = Buffer.alloc(0);
const ISOLATION = { uncommitted: 0, committed: 1 } as const;

export const fetchApi: Api<
  FetchRequest,
  { readonly error: number; readonly partitions: readonly FetchedPartition[] }
> = {
  name: 'Fetch',
  key: 1,
  version: 12,
  encode(writer, { maxWaitMs, minBytes, maxBytes, isolation, topics }) {
    writer.int32(-1).int32(maxWaitMs).int32(minBytes).int32(maxBytes).int8(ISOLATION[isolation]);
    // No session: each request names all it wants.
    writer.int32(0).int32(-1);
    writer.compactArray(topics, ({ topic, partitions }) => {
      writer.compactString(topic);
      writer.compactArray(partitions, ({ partition, offset, maxBytes: most }) =>
        writer.int32(partition).int32(-1).int64(offset).int32(-1).int64(-1n).int32(most).tags(),
      );
      writer.tags();
    });
    writer.unsignedVarint(1).compactString('').tags();
  },
  decode(reader) {
    reader.int32();
    const error = reader.int16();
    reader.int32();
    const topics = reader.compactArray(() => {
      const topic = reader.compactString();
      const partitions = reader.compactArray((): FetchedPartition => {
        const [partition, partitionError] = [reader.int32(), reader.int16()];
        const [highWatermark, lastStableOffset, logStartOffset] = [
          reader.int64(),
          reader.int64(),
          reader.int64(),
        ];
        const aborted = reader.compactArray(() => {
          const transaction = { producerId: reader.int64(), firstOffset: reader.int64() };
          reader.tags();
          return transaction;
        });
        reader.int32();
        const records = reader.compactBytes() ?? NONE;
        reader.tags();
        return {
          topic,
          partition,
          error: partitionError,
          highWatermark,
          lastStableOffset,
          logStartOffset,
          aborted,
          records,
        };
      });
      reader.tags();
      return partitions;
    });
    return { error, partitions: topics.flat() };
  },
};
