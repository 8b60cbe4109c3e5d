import type { Api } from './api.js';

/** Which offset of a partition is asked for; `latest` is the high watermark, with isolation `committed` the last stable offset. */
export const OFFSET_AT = { latest: -1n, earliest: -2n } as const;

export interface ListOffsetsRequest {
  readonly isolation: 'uncommitted' | 'committed';
  readonly at: bigint;
  readonly topics: readonly { readonly topic: string; readonly partitions: readonly number[] }[];
}

export interface ListedOffset {
  readonly topic: string;
  readonly partition: number;
  readonly error: number;
  readonly offset: bigint;
}

export const listOffsetsApi: Api<ListOffsetsRequest, readonly ListedOffset[]> = {
  name: 'ListOffsets',
  key: 2,
  version: 7,
  encode(writer, { isolation, at, topics }) {
    writer.int32(-1).int8(isolation === 'committed' ? 1 : 0);
    writer.compactArray(topics, ({ topic, partitions }) => {
      writer.compactString(topic);
      writer.compactArray(partitions, (partition) => writer.int32(partition).int32(-1).int64(at).tags());
      writer.tags();
    });
    writer.tags();
  },
  decode(reader) {
    reader.int32();
    const topics = reader.compactArray(() => {
      const topic = reader.compactString();
      const partitions = reader.compactArray((): ListedOffset => {
        const [partition, error] = [reader.int32(), reader.int16()];
        reader.int64();
        const offset = reader.int64();
        reader.int32();
        reader.tags();
        return { topic, partition, error, offset };
      });
      reader.tags();
      return partitions;
    });
    return topics.flat();
  },
};
