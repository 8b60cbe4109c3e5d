import type { Api } from './api.js';

export interface MetadataAnswer {
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
  readonly clusterId: string | null;
  readonly controllerId: number;
  readonly topics: readonly TopicMetadata[];
}

export interface TopicMetadata {
  readonly error: number;
  readonly name: string;
  readonly id: string;
  readonly partitions: readonly PartitionMetadata[];
}

export interface PartitionMetadata {
  readonly error: number;
  readonly partition: number;
  /** -1: there is none now. */
  readonly leader: number;
  readonly leaderEpoch: number;
}

/** Stands for no topic. */
export const NO_TOPIC_ID = Buffer.alloc(16).toString('base64url');

/** Brokers and these topics; none named: brokers only. Topics are never made by asking for them. */
export const metadataApi: Api<readonly string[], MetadataAnswer> = {
  name: 'Metadata',
  key: 3,
  version: 12,
  encode(writer, topics) {
    writer.compactArray(topics, (topic) => writer.uuid(NO_TOPIC_ID).compactNullableString(topic).tags());
    writer.boolean(false).boolean(false).tags();
  },
  decode(reader) {
    reader.int32();
    const brokers = reader.compactArray(() => {
      const broker = { nodeId: reader.int32(), host: reader.compactString(), port: reader.int32() };
      reader.compactNullableString();
      reader.tags();
      return broker;
    });
    const clusterId = reader.compactNullableString();
    const controllerId = reader.int32();
    const topics = reader.compactArray((): TopicMetadata => {
      const head = { error: reader.int16(), name: reader.compactString(), id: reader.uuid() };
      reader.boolean();
      const partitions = reader.compactArray((): PartitionMetadata => {
        const [error, partition, leader, leaderEpoch] = [
          reader.int16(),
          reader.int32(),
          reader.int32(),
          reader.int32(),
        ];
        for (let list = 0; list < 3; list++) reader.int32Array();
        reader.tags();
        return { error, partition, leader, leaderEpoch };
      });
      reader.int32();
      reader.tags();
      return { ...head, partitions };
    });
    return { brokers, clusterId, controllerId, topics };
  },
};
