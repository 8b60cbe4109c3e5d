/** Requests of administrators, for harnesses: the sink itself deletes nothing and grants nothing. */
import type { Api } from './client/wire/api.js';

export const deleteTopicsApi: Api<readonly string[], readonly number[]> = {
  name: 'DeleteTopics',
  key: 20,
  version: 6,
  encode(writer, topics) {
    writer.compactArray(topics, (topic) =>
      writer.compactNullableString(topic).bytes(Buffer.alloc(16)).tags(),
    );
    writer.int32(30_000).tags();
  },
  decode(reader) {
    reader.int32();
    return reader.compactArray(() => {
      reader.compactNullableString();
      reader.uuid();
      const error = reader.int16();
      reader.compactNullableString();
      reader.tags();
      return error;
    });
  },
};

export const createPartitionsApi: Api<{ readonly topic: string; readonly count: number }, number> = {
  name: 'CreatePartitions',
  key: 37,
  version: 3,
  encode(writer, { topic, count }) {
    writer.compactArray([topic], () => writer.compactString(topic).int32(count).compactNullArray().tags());
    writer.int32(30_000).boolean(false).tags();
  },
  decode(reader) {
    reader.int32();
    const [error] = reader.compactArray(() => {
      reader.compactString();
      const code = reader.int16();
      reader.compactNullableString();
      reader.tags();
      return code;
    });
    return checked(error);
  },
};

/** Deletes what lies before `offset`. */
export const deleteRecordsApi: Api<
  { readonly topic: string; readonly partition: number; readonly offset: bigint },
  number
> = {
  name: 'DeleteRecords',
  key: 21,
  version: 2,
  encode(writer, { topic, partition, offset }) {
    writer.compactArray([topic], () => {
      writer.compactString(topic);
      writer.compactArray([partition], () => writer.int32(partition).int64(offset).tags());
      writer.tags();
    });
    writer.int32(30_000).tags();
  },
  decode(reader) {
    reader.int32();
    const [error] = reader.compactArray(() => {
      reader.compactString();
      const [code] = reader.compactArray(() => {
        reader.int32();
        reader.int64();
        const partitionCode = reader.int16();
        reader.tags();
        return partitionCode;
      });
      reader.tags();
      return code;
    });
    return checked(error);
  },
};

/** Sets one setting of a topic. */
export const alterTopicConfigApi: Api<
  { readonly topic: string; readonly name: string; readonly value: string },
  number
> = {
  name: 'IncrementalAlterConfigs',
  key: 44,
  version: 1,
  encode(writer, { topic, name, value }) {
    writer.compactArray([topic], () => {
      writer.int8(2).compactString(topic);
      writer.compactArray([name], () =>
        writer.compactString(name).int8(0).compactNullableString(value).tags(),
      );
      writer.tags();
    });
    writer.boolean(false).tags();
  },
  decode(reader) {
    reader.int32();
    return checked(reader.compactArray(() => reader.int16())[0]);
  },
};

export interface Grant {
  readonly resource: 'topic' | 'group' | 'cluster' | 'transactional-id';
  readonly name: string;
  readonly isPrefix?: boolean;
  readonly principal: string;
  readonly operation: 'read' | 'write' | 'create' | 'describe' | 'describe-configs';
}

const RESOURCES = { topic: 2, group: 3, cluster: 4, 'transactional-id': 5 } as const;
const OPERATIONS = { read: 3, write: 4, create: 5, describe: 8, 'describe-configs': 10 } as const;

export const createAclsApi: Api<readonly Grant[], void> = {
  name: 'CreateAcls',
  key: 30,
  version: 3,
  encode(writer, grants) {
    writer.compactArray(grants, ({ resource, name, isPrefix = false, principal, operation }) => {
      writer
        .int8(RESOURCES[resource])
        .compactString(name)
        .int8(isPrefix ? 4 : 3);
      writer.compactString(principal).compactString('*').int8(OPERATIONS[operation]).int8(3).tags();
    });
    writer.tags();
  },
  decode(reader) {
    reader.int32();
    reader.compactArray(() => {
      checked(reader.int16());
      reader.compactNullableString();
      reader.tags();
    });
  },
};

function checked(code: number | undefined): number {
  if (code !== 0) throw new Error(`the broker answered with error ${String(code)}`);
  return code;
}
