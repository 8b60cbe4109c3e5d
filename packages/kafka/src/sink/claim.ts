/** Law 1: a claim of source partitions, each by its own transactional id. */
import {
  EosError,
  fencedError,
  initialPosition,
  judgeClaim,
  type Claim,
  type PartitionId,
  type Position,
  type Positions,
} from '@eos/core';
import { setTimeout as delay } from 'node:timers/promises';
import { isClientError } from '../client/client-error.js';
import type { KafkaClient, TransactionalProducer } from '../client/client.js';
import { eosError } from '../client/eos-error.js';
import { bytesColumn } from '../client/records.js';
import { positionKey, positionValue, type StoredPosition } from '../positions/position-record.js';
import { positionsOf, type PositionsReader, type PositionsTopic } from '../positions/positions-topic.js';
import { ensurePositionsTopic, setUpPositionsTopic } from '../positions/set-up.js';
import type { SinkPlace } from './options.js';
import { openTargets, settleTarget, type Targets } from './targets.js';

/** What a session works with: a producer for each claimed partition, which nobody else has. */
export interface Claimed {
  readonly topic: PositionsTopic;
  readonly targets: Targets;
  readonly positions: Positions;
  readonly committedAt: ReadonlyMap<PartitionId, number | undefined>;
  readonly producers: ReadonlyMap<PartitionId, TransactionalProducer>;
}

/** How long a claim that was overtaken waits for whoever overtook it to say who it is. */
const OVERTAKEN_MS = 1_000;
const POLL_MS = 20;

/**
 * Claims. What is there is judged twice: before anything is done, so that a claim that must not be takes nothing from anybody; and again
 * behind the barrier, when nothing of an earlier session can land any more.
 */
export async function claimPartitions<Row>(
  client: KafkaClient,
  place: SinkPlace<Row>,
  claim: Claim,
): Promise<Claimed> {
  const { settings, context } = place;
  const targets = await openTargets(client, settings, context.mustExist === true);
  const topic = await ensurePositionsTopic(client, settings.positions);
  const reader = topic.reader(context, claim.partitions);
  judge(claim, await reader.read(), targets);
  if (!reader.hasLayout) {
    await setUpPositionsTopic(client, topic, context, settings.topics, settings.positions);
  }
  const producers = await initProducers(client, place, claim.partitions);
  try {
    const found = await reader.readBehindBarrier();
    const target = judge(claim, found, targets);
    const claimed = new Map(
      claim.partitions.map((partition) => [partition, claimedPosition(found.get(partition), claim, target)]),
    );
    await writeOwners(place, claim, topic, producers, { found, claimed });
    return {
      topic,
      targets,
      positions: positionsOf(claimed),
      committedAt: new Map([...claimed].map(([partition, { committedAt }]) => [partition, committedAt])),
      producers,
    };
  } catch (error) {
    for (const producer of producers.values()) producer.close();
    throw error;
  }
}

type Stored = ReadonlyMap<PartitionId, StoredPosition>;

/** @returns the target's identity, to be stored */
function judge({ partitions, replacing }: Claim, found: Stored, targets: Targets): string {
  for (const partition of partitions)
    judgeClaim(partition, found.get(partition)?.position, replacing.get(partition));
  return settleTarget(positionsOf(found), targets);
}

function claimedPosition(
  found: StoredPosition | undefined,
  { owner }: Claim,
  target: string,
): StoredPosition {
  const position: Position = { ...(found?.position ?? initialPosition(owner, target)), owner, target };
  return { position, committedAt: found?.committedAt };
}

/** The barrier: when this resolves, every earlier transaction of these partitions is decided, and earlier producers are fenced. */
async function initProducers<Row>(
  client: KafkaClient,
  { settings, context }: SinkPlace<Row>,
  partitions: readonly PartitionId[],
): Promise<ReadonlyMap<PartitionId, TransactionalProducer>> {
  const { transactionTimeoutMs, timeoutMs, compression } = settings;
  // All coordinators by one request.
  await client.cluster.coordinators(
    'transaction',
    partitions.map((partition) => positionKey(context, partition)),
  );
  const started = await Promise.allSettled(
    partitions.map((partition) =>
      client.initProducer({
        transactionalId: positionKey(context, partition),
        transactionTimeoutMs,
        timeoutMs,
        compression,
      }),
    ),
  );
  const producers = new Map(
    started.flatMap((result, index) =>
      result.status === 'fulfilled' ? [[partitions[index] ?? '', result.value] as const] : [],
    ),
  );
  const failed = started.find((result) => result.status === 'rejected');
  if (failed === undefined) return producers;
  for (const producer of producers.values()) producer.close();
  throw failed.reason;
}

interface OwnersToWrite {
  readonly found: Stored;
  readonly claimed: Stored;
}

/** The first transaction of each producer says who holds the partition now. */
async function writeOwners<Row>(
  place: SinkPlace<Row>,
  claim: Claim,
  topic: PositionsTopic,
  producers: ReadonlyMap<PartitionId, TransactionalProducer>,
  { found, claimed }: OwnersToWrite,
): Promise<void> {
  const results = await Promise.allSettled(
    [...producers].map(async ([partition, producer]) => {
      const stored = claimed.get(partition);
      if (stored === undefined) return;
      producer.expect(topic.name, topic.partitionOf(producer.transactionalId));
      try {
        await sendPosition(producer, topic, producer.transactionalId, stored);
        await producer.commit();
      } catch (error) {
        throw isClientError(error) && error.kind === 'producer-lost'
          ? await overtaken(place, topic, claim, partition, found.get(partition)?.position)
          : eosError(error);
      }
    }),
  );
  const failures = results.flatMap((result) =>
    result.status === 'rejected' ? [eosError(result.reason)] : [],
  );
  const worst = failures.find(({ retryable }) => !retryable) ?? failures[0];
  if (worst === undefined) return;
  // Where one of several claims may be there, only its author is to replace it without being told that it is fenced.
  const isKnown =
    failures.length === results.length && failures.every(({ outcome }) => outcome === 'aborted');
  if (isKnown) throw worst;
  const { code, message, retryable, details } = worst;
  throw new EosError(code, message, { retryable, details, cause: worst, outcome: 'unknown' });
}

/** Adds a position to the open transaction of its partition's producer. */
export async function sendPosition(
  producer: TransactionalProducer,
  topic: PositionsTopic,
  key: string,
  stored: StoredPosition,
): Promise<void> {
  const record = { count: 1, keys: bytesColumn([key]), values: bytesColumn([positionValue(stored)]) };
  await producer.send(topic.name, topic.partitionOf(key), record);
}

/**
 * Somebody else has taken the transactional id over in the middle of this claim, and says who it is when its own claim gets so far; it may
 * also give up, on seeing that it must not claim.
 */
async function overtaken<Row>(
  { context }: SinkPlace<Row>,
  topic: PositionsTopic,
  { owner }: Claim,
  partition: PartitionId,
  before: Position | undefined,
): Promise<EosError> {
  const reader = topic.reader(context, [partition]);
  const other = await ownerOtherThan(reader, partition, before?.owner, OVERTAKEN_MS);
  // The same token: a twin, which a program has made by claiming twice with it. Either of the two may be the last.
  if (other !== undefined && other !== owner) return fencedError(partition);
  const message = `partition ${partition} was claimed by another session at the same time`;
  return new EosError('EOS_UNAVAILABLE', message, { retryable: true, details: { partition } });
}

/** The owner that is there, as soon as it is not `before`; undefined where it still is after a while. */
export async function ownerOtherThan(
  reader: PositionsReader,
  partition: PartitionId,
  before: bigint | undefined,
  waitMs: number,
): Promise<bigint | undefined> {
  const deadline = performance.now() + waitMs;
  do {
    const owner = (await reader.read()).get(partition)?.position.owner;
    if (owner !== before) return owner;
    await delay(POLL_MS);
  } while (performance.now() < deadline);
  return undefined;
}
