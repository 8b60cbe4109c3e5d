/** What a failure of the client means to a caller of Eos. */
import { EosError, isEosError, messageOf, type EosErrorCode, type Outcome } from '@eos/core';
import { KafkaClientError } from './client-error.js';

interface Meaning {
  readonly code: EosErrorCode;
  /** Added to what the broker said. */
  readonly advice: (error: KafkaClientError) => string;
}

const REFUSALS: Readonly<Record<string, Meaning>> = {
  CLUSTER_AUTHORIZATION_FAILED: { code: 'EOS_PERMISSION', advice: () => 'grant Create on the cluster' },
  GROUP_AUTHORIZATION_FAILED: { code: 'EOS_PERMISSION', advice: () => 'grant Read on the consumer group' },
  SASL_AUTHENTICATION_FAILED: { code: 'EOS_PERMISSION', advice: () => 'check user and password' },
  TOPIC_AUTHORIZATION_FAILED: {
    code: 'EOS_PERMISSION',
    advice: ({ topic }) =>
      `grant Describe, DescribeConfigs, Read and Write on ${topic === undefined ? 'the topic' : `topic ${topic}`}`,
  },
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: {
    code: 'EOS_PERMISSION',
    advice: ({ transactionalId }) =>
      transactionalId === undefined
        ? 'grant Describe and Write on the transactional id'
        : `grant Describe and Write on transactional ids that begin with ${prefixOf(transactionalId)}`,
  },
  INVALID_TRANSACTION_TIMEOUT: {
    code: 'EOS_CONFIG',
    advice: () => `transactionTimeoutMs is longer than the brokers' transaction.max.timeout.ms allows`,
  },
  UNKNOWN_TOPIC_OR_PARTITION: { code: 'EOS_SCHEMA', advice: () => 'make the topic, or check its name' },
  INVALID_TOPIC_EXCEPTION: { code: 'EOS_CONFIG', advice: () => 'this can be no name of a topic' },
  UNSUPPORTED_VERSION: { code: 'EOS_CONFIG', advice: () => 'Apache Kafka 3.9 or later is needed' },
  MESSAGE_TOO_LARGE: {
    code: 'EOS_ROW',
    advice: () => `one record is larger than the topic's max.message.bytes allows: raise it, or drop the row`,
  },
  RECORD_LIST_TOO_LARGE: {
    code: 'EOS_ROW',
    advice: () => `one record is larger than the topic's segment.bytes`,
  },
  INVALID_RECORD: {
    code: 'EOS_ROW',
    advice: () => 'a topic that is compacted takes no record without a key',
  },
  INVALID_REPLICATION_FACTOR: { code: 'EOS_CONFIG', advice: () => 'set replicationFactor' },
  INVALID_PARTITIONS: { code: 'EOS_CONFIG', advice: () => 'set partitions' },
  INVALID_CONFIG: { code: 'EOS_CONFIG', advice: () => 'check the settings of the topic' },
  POLICY_VIOLATION: {
    code: 'EOS_CONFIG',
    advice: () => 'the cluster does not allow such a topic: make it by hand',
  },
};

/**
 * @param outcome what became of the transaction, where the failure does not say that it is unknown
 */
export function eosError(failure: unknown, outcome: Outcome = 'aborted'): EosError {
  if (isEosError(failure)) return failure;
  if (!(failure instanceof KafkaClientError))
    return new EosError('EOS_UNAVAILABLE', messageOf(failure), { retryable: true, outcome, cause: failure });
  const { kind, error, topic, partition, transactionalId, message } = failure;
  const details = withoutUndefined({ error, topic, partition, transactionalId });
  if (kind === 'unknown')
    return new EosError('EOS_UNKNOWN_OUTCOME', message, {
      retryable: true,
      outcome: 'unknown',
      cause: failure,
      details,
    });
  const meaning = kind === 'refused' ? REFUSALS[error ?? ''] : undefined;
  if (meaning !== undefined)
    return new EosError(meaning.code, `${message} (${meaning.advice(failure)})`, {
      outcome,
      cause: failure,
      details,
    });
  const retryable = kind !== 'refused';
  return new EosError('EOS_UNAVAILABLE', message, { retryable, outcome, cause: failure, details });
}

/** `<pipeline>/<sink>/`: what all transactional ids of a sink have in common. */
function prefixOf(transactionalId: string): string {
  return transactionalId
    .split('/', 2)
    .map((part) => `${part}/`)
    .join('');
}

function withoutUndefined(details: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined));
}
