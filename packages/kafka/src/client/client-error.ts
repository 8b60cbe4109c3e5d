import { messageOf } from '@eos/core';

/**
 * What a failed call means for the transaction at hand.
 * - `producer-lost`: the broker does not know the producer any more, or ended its transaction: another one took over its id, or it was
 *   open for too long. Nothing of the transaction is or becomes visible.
 * - `unavailable`: no answer, or one that passes; nothing was committed, and nothing will be.
 * - `unknown`: a commit was sent, and what became of it cannot be told.
 * - `refused`: the broker said no, and would say so again: a grant, a setting, the size of a record.
 */
export type FailureKind = 'producer-lost' | 'unavailable' | 'unknown' | 'refused';

export interface FailureDetails {
  readonly kind: FailureKind;
  /** Kafka's name of the error; undefined where no answer came. */
  readonly error?: string | undefined;
  readonly topic?: string;
  readonly partition?: number;
  readonly transactionalId?: string;
  readonly cause?: unknown;
}

/** The error of the client port. */
export class KafkaClientError extends Error {
  override readonly name = 'KafkaClientError';
  readonly kind: FailureKind;
  readonly error: string | undefined;
  readonly topic: string | undefined;
  readonly partition: number | undefined;
  readonly transactionalId: string | undefined;

  constructor(message: string, details: FailureDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = details.kind;
    this.error = details.error;
    this.topic = details.topic;
    this.partition = details.partition;
    this.transactionalId = details.transactionalId;
  }
}

const PRODUCER_LOST: ReadonlySet<string> = new Set([
  'PRODUCER_FENCED',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
  'INVALID_TXN_STATE',
  'UNKNOWN_PRODUCER_ID',
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'DUPLICATE_SEQUENCE_NUMBER',
  'TRANSACTION_ABORTABLE',
]);

/** Errors after which the same request may get through, to whoever is in charge by then. */
const PASSING: ReadonlySet<string> = new Set([
  'CONCURRENT_TRANSACTIONS',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'FENCED_LEADER_EPOCH',
  'KAFKA_STORAGE_ERROR',
  'LEADER_NOT_AVAILABLE',
  'NETWORK_EXCEPTION',
  'NOT_CONTROLLER',
  'NOT_COORDINATOR',
  'NOT_ENOUGH_REPLICAS',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'NOT_LEADER_OR_FOLLOWER',
  'OFFSET_NOT_AVAILABLE',
  'OPERATION_NOT_ATTEMPTED',
  'REPLICA_NOT_AVAILABLE',
  'REQUEST_TIMED_OUT',
  'THROTTLING_QUOTA_EXCEEDED',
  'TRANSACTION_COORDINATOR_FENCED',
  'UNKNOWN_LEADER_EPOCH',
  'UNSTABLE_OFFSET_COMMIT',
]);

export function isPassing(error: string): boolean {
  return PASSING.has(error);
}

/** What an error of the broker means. */
export function kindOf(error: string): FailureKind {
  if (PRODUCER_LOST.has(error)) return 'producer-lost';
  return PASSING.has(error) ? 'unavailable' : 'refused';
}

export function isClientError(error: unknown, name?: string): error is KafkaClientError {
  return error instanceof KafkaClientError && (name === undefined || error.error === name);
}

/** What a driver threw: a connection that is not there, or went away. */
export function connectionError(request: string, cause: unknown): KafkaClientError {
  if (cause instanceof KafkaClientError) return cause;
  return new KafkaClientError(`${request}: ${messageOf(cause)}`, { kind: 'unavailable', cause });
}

/** The broker did not take user and password, or does not speak the mechanism. */
export function authenticationError(cause: unknown): KafkaClientError {
  const message = `the broker refused the connection: ${messageOf(cause)}`;
  return new KafkaClientError(message, { kind: 'refused', error: 'SASL_AUTHENTICATION_FAILED', cause });
}

/** What was thrown, in the terms of this port. */
export function asClientError(error: unknown): KafkaClientError {
  if (error instanceof KafkaClientError) return error;
  return new KafkaClientError(messageOf(error), { kind: 'unavailable', cause: error });
}
