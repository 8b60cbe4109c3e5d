import { KafkaClientError, kindOf } from './client-error.js';
import type { KafkaAdmin, ListedTransaction, NewTopic, TopicDescription } from './client.js';
import type { Cluster } from './cluster.js';
import { partitionError } from './cluster.js';
import { groupBy } from './group-by.js';
import { retried } from './retry.js';
import { errorName } from './wire/error-codes.js';
import { listOffsetsApi, OFFSET_AT, type ListedOffset } from './wire/list-offsets.js';
import { createTopicApi, describeTopicConfigApi } from './wire/topics.js';
import { describeTransactionsApi, listTransactionsApi } from './wire/transactions.js';

export function kafkaAdmin(cluster: Cluster): KafkaAdmin {
  const { timeoutMs } = cluster;
  return {
    topics: (names) => describeTopics(cluster, names),
    async createTopic(topic) {
      const isNew = await retried({ timeoutMs }, () => makeTopic(cluster, topic, timeoutMs));
      // Known to the controller at once, to the brokers a moment later; also where another client has made it a moment ago.
      await retried({ timeoutMs }, () => untilLed(cluster, topic.name, isNew ? topic.partitions : 1));
    },
    async topicConfig(topic) {
      const { error, message, settings } = await cluster.ask('any', describeTopicConfigApi, topic);
      throwError(error, `the settings of topic ${topic} cannot be read`, message, { topic });
      return settings;
    },
    earliestOffsets: (topic) => offsets(cluster, topic, OFFSET_AT.earliest),
    highWatermarks: (topic) => offsets(cluster, topic, OFFSET_AT.latest),
    transactions: (ids) => describeTransactions(cluster, ids),
    openTransactions: (producerIds = []) => listTransactions(cluster, producerIds),
  };
}

async function describeTopics(
  cluster: Cluster,
  names: readonly string[],
): Promise<ReadonlyMap<string, TopicDescription>> {
  return await retried({ timeoutMs: cluster.timeoutMs }, async () => {
    const found = new Map<string, TopicDescription>();
    for (const { name, id, partitions, error } of await cluster.topics(names, true)) {
      const code = errorName(error);
      if (code === 'UNKNOWN_TOPIC_OR_PARTITION') continue;
      throwError(error, `topic ${name}`, null, { topic: name });
      found.set(name, { id, partitions: partitions.length });
    }
    return found;
  });
}

/** @returns false where it was there already */
async function makeTopic(cluster: Cluster, topic: NewTopic, timeoutMs: number): Promise<boolean> {
  const { controllerId } = await cluster.brokers();
  const request = { ...topic, timeoutMs };
  const { error, message } = await cluster.ask({ node: controllerId }, createTopicApi, request);
  if (errorName(error) === 'TOPIC_ALREADY_EXISTS') return false;
  throwError(error, `topic ${topic.name} cannot be made`, message, { topic: topic.name });
  return true;
}

/** @param partitions how many there must be, at least */
async function untilLed(cluster: Cluster, topic: string, partitions: number): Promise<void> {
  const [metadata] = await cluster.topics([topic], true);
  const isLed =
    metadata?.error === 0 &&
    metadata.partitions.length >= partitions &&
    metadata.partitions.every(({ leader }) => leader >= 0);
  if (!isLed) throw partitionError('LEADER_NOT_AVAILABLE', topic, 0);
}

async function offsets(cluster: Cluster, topic: string, at: bigint): Promise<ReadonlyMap<number, bigint>> {
  return await retried(
    { timeoutMs: cluster.timeoutMs, onRetry: () => cluster.forgetTopic(topic) },
    async () => {
      // Partitions may have been added.
      const [metadata] = await cluster.topics([topic], true);
      if (metadata === undefined || metadata.partitions.length === 0)
        throw partitionError('UNKNOWN_TOPIC_OR_PARTITION', topic, 0);
      const byLeader = groupBy(metadata.partitions, ({ leader }) => leader);
      const listed = await Promise.all(
        [...byLeader].map(([node, led]) => {
          if (node < 0) throw partitionError('LEADER_NOT_AVAILABLE', topic, led[0]?.partition ?? 0);
          const partitions = led.map(({ partition }) => partition);
          const request = { isolation: 'uncommitted', at, topics: [{ topic, partitions }] } as const;
          return cluster.ask({ node }, listOffsetsApi, request);
        }),
      );
      return new Map(listed.flat().map((found) => [found.partition, checkedOffset(found)]));
    },
  );
}

function checkedOffset({ error, topic, partition, offset }: ListedOffset): bigint {
  const name = errorName(error);
  if (name !== undefined) throw partitionError(name, topic, partition);
  return offset;
}

async function describeTransactions(cluster: Cluster, ids: readonly string[]) {
  const forget = () => ids.forEach((id) => cluster.forgetCoordinator('transaction', id));
  return await retried({ timeoutMs: cluster.timeoutMs, onRetry: forget }, async () => {
    const nodes = await cluster.coordinators('transaction', ids);
    const byNode = groupBy(ids, (id) => nodes.get(id) ?? -1);
    const described = await Promise.all(
      [...byNode].map(([node, named]) => cluster.ask({ node }, describeTransactionsApi, named)),
    );
    return new Map(
      described.flat().flatMap((found) => {
        const { error, transactionalId } = found;
        if (errorName(error) === 'TRANSACTIONAL_ID_NOT_FOUND') return [];
        throwError(error, `transaction ${transactionalId}`, null, { transactionalId });
        return [[transactionalId, found] as const];
      }),
    );
  });
}

async function listTransactions(
  cluster: Cluster,
  producerIds: readonly bigint[],
): Promise<readonly ListedTransaction[]> {
  return await retried({ timeoutMs: cluster.timeoutMs }, async () => {
    const { brokers } = await cluster.brokers();
    const answers = await Promise.all(
      brokers.map(({ nodeId }) =>
        cluster.ask({ node: nodeId }, listTransactionsApi, { states: OPEN_STATES, producerIds }),
      ),
    );
    return answers.flatMap(({ error, transactions }) => {
      throwError(error, 'the transactions cannot be listed', null, {});
      return transactions;
    });
  });
}

const OPEN_STATES = ['Ongoing', 'PrepareCommit', 'PrepareAbort'] as const;

/** @throws {KafkaClientError} unless `code` is 0 */
export function throwError(
  code: number,
  what: string,
  message: string | null,
  details: { readonly topic?: string; readonly transactionalId?: string },
): void {
  const error = errorName(code);
  if (error === undefined) return;
  throw new KafkaClientError(`${what}: ${message ?? error}`, { kind: kindOf(error), error, ...details });
}
