/** The requests of a transactional producer, but for Produce. */
import type { Api } from './api.js';
import type { Reader } from './reader.js';
import type { Writer } from './writer.js';

/** Who is asking. */
export interface ProducerIdentity {
  readonly transactionalId: string;
  readonly producerId: bigint;
  readonly epoch: number;
}

export interface ErrorAnswer {
  readonly error: number;
}

export interface TopicPartitions {
  readonly topic: string;
  readonly partitions: readonly number[];
}

export interface PartitionError extends ErrorAnswer {
  readonly topic: string;
  readonly partition: number;
}

function identity(writer: Writer, { transactionalId, producerId, epoch }: ProducerIdentity): Writer {
  return writer.compactString(transactionalId).int64(producerId).int16(epoch);
}

function errorAnswer(reader: Reader): ErrorAnswer {
  reader.int32();
  return { error: reader.int16() };
}

/** Takes over: no id and epoch are expected, so that any earlier producer is fenced. */
export const initProducerIdApi: Api<
  { readonly transactionalId: string; readonly transactionTimeoutMs: number },
  ErrorAnswer & { readonly producerId: bigint; readonly epoch: number }
> = {
  name: 'InitProducerId',
  key: 22,
  version: 4,
  encode(writer, { transactionalId, transactionTimeoutMs }) {
    writer.compactNullableString(transactionalId).int32(transactionTimeoutMs).int64(-1n).int16(-1).tags();
  },
  decode(reader) {
    const { error } = errorAnswer(reader);
    return { error, producerId: reader.int64(), epoch: reader.int16() };
  },
};

export const addPartitionsToTxnApi: Api<
  ProducerIdentity & { readonly topics: readonly TopicPartitions[] },
  readonly PartitionError[]
> = {
  name: 'AddPartitionsToTxn',
  key: 24,
  version: 3,
  encode(writer, request) {
    identity(writer, request);
    writer.compactArray(request.topics, ({ topic, partitions }) =>
      writer.compactString(topic).int32Array(partitions).tags(),
    );
    writer.tags();
  },
  decode(reader) {
    reader.int32();
    return partitionErrors(reader);
  },
};

export const addOffsetsToTxnApi: Api<ProducerIdentity & { readonly groupId: string }, ErrorAnswer> = {
  name: 'AddOffsetsToTxn',
  key: 25,
  version: 3,
  encode(writer, request) {
    identity(writer, request).compactString(request.groupId).tags();
  },
  decode: errorAnswer,
};

export const endTxnApi: Api<ProducerIdentity & { readonly isCommit: boolean }, ErrorAnswer> = {
  name: 'EndTxn',
  key: 26,
  version: 3,
  encode(writer, request) {
    identity(writer, request).boolean(request.isCommit).tags();
  },
  decode: errorAnswer,
};

export interface TxnOffsetCommitRequest extends ProducerIdentity {
  readonly groupId: string;
  readonly memberId: string;
  readonly generation: number;
  readonly instanceId: string | null;
  readonly topics: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly offset: bigint;
      readonly metadata: string | null;
    }[];
  }[];
}

export const txnOffsetCommitApi: Api<TxnOffsetCommitRequest, readonly PartitionError[]> = {
  name: 'TxnOffsetCommit',
  key: 28,
  version: 3,
  encode(writer, request) {
    writer.compactString(request.transactionalId).compactString(request.groupId);
    writer.int64(request.producerId).int16(request.epoch);
    writer.int32(request.generation).compactString(request.memberId);
    writer.compactNullableString(request.instanceId);
    writer.compactArray(request.topics, ({ topic, partitions }) => {
      writer.compactString(topic);
      writer.compactArray(partitions, ({ partition, offset, metadata }) =>
        writer.int32(partition).int64(offset).int32(-1).compactNullableString(metadata).tags(),
      );
      writer.tags();
    });
    writer.tags();
  },
  decode(reader) {
    reader.int32();
    return partitionErrors(reader);
  },
};

function partitionErrors(reader: Reader): readonly PartitionError[] {
  const topics = reader.compactArray(() => {
    const topic = reader.compactString();
    const partitions = reader.compactArray((): PartitionError => {
      const [partition, error] = [reader.int32(), reader.int16()];
      reader.tags();
      return { topic, partition, error };
    });
    reader.tags();
    return partitions;
  });
  return topics.flat();
}

export interface DescribedTransaction extends ErrorAnswer {
  readonly transactionalId: string;
  readonly state: string;
  readonly timeoutMs: number;
  readonly startedAt: number;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly partitions: readonly TopicPartitions[];
}

export const describeTransactionsApi: Api<readonly string[], readonly DescribedTransaction[]> = {
  name: 'DescribeTransactions',
  key: 65,
  version: 0,
  encode(writer, ids) {
    writer.compactArray(ids, (id) => writer.compactString(id)).tags();
  },
  decode(reader) {
    reader.int32();
    return reader.compactArray(() => {
      const error = reader.int16();
      const [transactionalId, state] = [reader.compactString(), reader.compactString()];
      const [timeoutMs, startedAt] = [reader.int32(), Number(reader.int64())];
      const [producerId, producerEpoch] = [reader.int64(), reader.int16()];
      const partitions = reader.compactArray(() => {
        const topic = { topic: reader.compactString(), partitions: reader.int32Array() };
        reader.tags();
        return topic;
      });
      reader.tags();
      return { error, transactionalId, state, timeoutMs, startedAt, producerId, producerEpoch, partitions };
    });
  },
};

/** Those that one broker coordinates: all, or those of some producers. */
export const listTransactionsApi: Api<
  { readonly states: readonly string[]; readonly producerIds: readonly bigint[] },
  ErrorAnswer & {
    readonly transactions: readonly {
      readonly transactionalId: string;
      readonly producerId: bigint;
      readonly state: string;
    }[];
  }
> = {
  name: 'ListTransactions',
  key: 66,
  version: 0,
  encode(writer, { states, producerIds }) {
    writer.compactArray(states, (state) => writer.compactString(state));
    writer.compactArray(producerIds, (id) => writer.int64(id)).tags();
  },
  decode(reader) {
    const { error } = errorAnswer(reader);
    reader.compactArray(() => reader.compactString());
    const transactions = reader.compactArray(() => {
      const found = {
        transactionalId: reader.compactString(),
        producerId: reader.int64(),
        state: reader.compactString(),
      };
      reader.tags();
      return found;
    });
    return { error, transactions };
  },
};
