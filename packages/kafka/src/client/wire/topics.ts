/** Topics and their settings. */
import type { Api } from './api.js';

export interface TopicError {
  readonly error: number;
  readonly message: string | null;
}

export interface CreateTopicRequest {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly config: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
}

export const createTopicApi: Api<CreateTopicRequest, TopicError> = {
  name: 'CreateTopics',
  key: 19,
  version: 7,
  encode(writer, { name, partitions, replicationFactor, config, timeoutMs }) {
    writer.compactArray([name], () => {
      writer.compactString(name).int32(partitions).int16(replicationFactor).unsignedVarint(1);
      writer.compactArray(Object.entries(config), ([setting, value]) =>
        writer.compactString(setting).compactNullableString(value).tags(),
      );
      writer.tags();
    });
    writer.int32(timeoutMs).boolean(false).tags();
  },
  decode(reader) {
    reader.int32();
    const [topic] = reader.compactArray(() => {
      reader.compactString();
      reader.uuid();
      const answer = { error: reader.int16(), message: reader.compactNullableString() };
      reader.int32();
      reader.int16();
      reader.compactArray(() => {
        reader.compactString();
        reader.compactNullableString();
        reader.boolean();
        reader.int8();
        reader.boolean();
        reader.tags();
      });
      reader.tags();
      return answer;
    });
    return topic ?? { error: -1, message: 'an answer without the topic' };
  },
};

const TOPIC = 2;

export interface TopicConfigAnswer extends TopicError {
  readonly settings: ReadonlyMap<string, string>;
}

/** All settings of one topic, defaults included. */
export const describeTopicConfigApi: Api<string, TopicConfigAnswer> = {
  name: 'DescribeConfigs',
  key: 32,
  version: 4,
  encode(writer, topic) {
    writer.compactArray([topic], () => writer.int8(TOPIC).compactString(topic).compactNullArray().tags());
    writer.boolean(false).boolean(false).tags();
  },
  decode(reader) {
    reader.int32();
    const [topic] = reader.compactArray((): TopicConfigAnswer => {
      const [error, message] = [reader.int16(), reader.compactNullableString()];
      reader.int8();
      reader.compactString();
      const settings = reader.compactArray((): [string, string] => {
        const [name, value] = [reader.compactString(), reader.compactNullableString() ?? ''];
        reader.boolean();
        reader.int8();
        reader.boolean();
        reader.compactArray(() => {
          reader.compactString();
          reader.compactNullableString();
          reader.int8();
          reader.tags();
        });
        reader.int8();
        reader.compactNullableString();
        reader.tags();
        return [name, value];
      });
      reader.tags();
      return { error, message, settings: new Map(settings) };
    });
    return topic ?? { error: -1, message: 'an answer without the topic', settings: new Map() };
  },
};
