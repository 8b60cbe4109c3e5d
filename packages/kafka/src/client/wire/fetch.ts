import type { Api } from './api.js';

export interface FetchRequest {
  readonly maxWaitMs: number;
  readonly minBytes: number;
  /** Of the whole answer; the first batch comes whole, however large. */
  readonly maxBytes: number;
  /** `committed`: not beyond the last stable offset, and with the list of what was aborted. */
  readonly isolation: 'uncommitted' | 'committed';
  readonly topics: readonly {
    /** By id, so that a topic that was deleted and made again is never read in the place of the one that was meant. */
    readonly topicId: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly offset: bigint;
      readonly maxBytes: number;
      /** Leader epoch of the batch before `offset`: the broker then says where its log is another one. Default: not checked. */
      readonly lastEpoch?: number;
    }[];
  }[];
}

export interface FetchedPartition {
  readonly topicId: string;
  readonly partition: number;
  readonly error: number;
  readonly highWatermark: bigint;
  readonly lastStableOffset: bigint;
  readonly logStartOffset: bigint;
  /** As the broker lists them: in the order in which they ended. */
  readonly aborted: readonly { readonly producerId: bigint; readonly firstOffset: bigint }[];
  /** The broker's log has no such epoch up to the offset asked for: it went back behind it. Nothing was read. */
  readonly diverging: { readonly epoch: number; readonly endOffset: bigint } | undefined;
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
  version: 13,
  encode(writer, { maxWaitMs, minBytes, maxBytes, isolation, topics }) {
    writer.int32(-1).int32(maxWaitMs).int32(minBytes).int32(maxBytes).int8(ISOLATION[isolation]);
    // No session: each request names all it wants.
    writer.int32(0).int32(-1);
    writer.compactArray(topics, ({ topicId, partitions }) => {
      writer.uuid(topicId);
      writer.compactArray(partitions, ({ partition, offset, maxBytes: most, lastEpoch = -1 }) =>
        writer.int32(partition).int32(-1).int64(offset).int32(lastEpoch).int64(-1n).int32(most).tags(),
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
      const topicId = reader.uuid();
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
        let diverging: FetchedPartition['diverging'];
        reader.tags((tag, value) => {
          if (tag === 0) diverging = { epoch: value.int32(), endOffset: value.int64() };
        });
        return {
          topicId,
          partition,
          error: partitionError,
          highWatermark,
          lastStableOffset,
          logStartOffset,
          aborted,
          diverging,
          records,
        };
      });
      reader.tags();
      return partitions;
    });
    return { error, partitions: topics.flat() };
  },
};
