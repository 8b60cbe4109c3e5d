/** Making the positions topic, and refusing one that could lose a position. */
import { setTimeout as delay } from 'node:timers/promises';
import { EosError, type SinkContext } from '@eos/core';
import { isClientError } from '../client/client-error.js';
import type { KafkaClient } from '../client/client.js';
import { bytesColumn } from '../client/records.js';
import { LAYOUT_KEY, layoutValue, positionKey } from './position-record.js';
import { PositionsTopic } from './positions-topic.js';

/** Where positions are kept. */
export interface PositionsSettings {
  readonly topic: string;
  /** For a topic that is made. */
  readonly partitions: number;
  /** -1: the broker's default. */
  readonly replicationFactor: number;
  readonly mayCreate: boolean;
  /** Whether the target may have records although nothing is known of positions: they are somebody else's. */
  readonly ignoreExistingRecords: boolean;
  readonly transactionTimeoutMs: number;
}

/**
 * Settings of the topic. Only the newest record of a key is ever needed: small segments and an eager cleaner keep short what a claim has
 * to read. Control records stay no longer than a minute behind what they speak of.
 */
const CONFIG = {
  'cleanup.policy': 'compact',
  'unclean.leader.election.enable': 'false',
  'segment.bytes': String(1024 * 1024),
  'segment.ms': String(10 * 60 * 1000),
  'min.cleanable.dirty.ratio': '0.01',
  'min.compaction.lag.ms': '0',
  'delete.retention.ms': String(60 * 1000),
  'compression.type': 'producer',
} as const;

/** What a topic must be set to, and what happens else. */
const REQUIRED = {
  'cleanup.policy': 'records are deleted by age or size, positions among them',
  'unclean.leader.election.enable': 'a broker that has missed commits may become the leader',
} as const;

/**
 * The topic as it is; undefined where it is not there.
 * @throws EOS_CONFIG where its settings could lose a position
 */
export async function findPositionsTopic(
  client: KafkaClient,
  name: string,
): Promise<PositionsTopic | undefined> {
  const found = (await client.admin.topics([name])).get(name);
  if (found === undefined) return undefined;
  const settings = await client.admin.topicConfig(name);
  for (const [setting, danger] of Object.entries(REQUIRED)) {
    const expected = CONFIG[setting as keyof typeof REQUIRED];
    const actual = settings.get(setting);
    if (actual === expected) continue;
    const message =
      `topic ${name} has ${setting}=${String(actual)}: ${danger}. Look whether positions are missing before you go on, then run ` +
      `kafka-configs.sh --bootstrap-server … --alter --entity-type topics --entity-name ${name} --add-config ${setting}=${expected}`;
    throw new EosError('EOS_CONFIG', message, {
      details: { option: 'positionsTopic', setting, expected, found: actual },
    });
  }
  return new PositionsTopic(client, name, found.partitions);
}

/**
 * The topic, made where it is missing and may be.
 * @throws EOS_CONFIG with the command that makes it
 */
export async function ensurePositionsTopic(
  client: KafkaClient,
  settings: PositionsSettings,
): Promise<PositionsTopic> {
  const found = await findPositionsTopic(client, settings.topic);
  if (found !== undefined) return found;
  const { topic: name, partitions, replicationFactor, mayCreate } = settings;
  if (!mayCreate) throw missingError(settings, 'and is not to be made');
  try {
    await client.admin.createTopic({ name, partitions, replicationFactor, config: CONFIG });
  } catch (error) {
    if (isClientError(error) && error.error?.endsWith('AUTHORIZATION_FAILED') === true)
      throw missingError(settings, 'and this user may not make it', error);
    throw error;
  }
  const made = await findPositionsTopic(client, name);
  if (made === undefined) throw missingError(settings, 'although it was made a moment ago');
  return made;
}

function missingError(
  { topic, partitions, replicationFactor }: PositionsSettings,
  why: string,
  cause?: unknown,
): EosError {
  const replication = replicationFactor < 1 ? '' : ` --replication-factor ${replicationFactor}`;
  const config = Object.entries(CONFIG).map(([name, value]) => ` --config ${name}=${value}`);
  const message =
    `topic ${topic}, which holds positions, is not there, ${why}. Run kafka-topics.sh --bootstrap-server … --create ` +
    `--topic ${topic} --partitions ${partitions}${replication}${config.join('')}`;
  return new EosError('EOS_CONFIG', message, {
    details: { option: 'positionsTopic', topic },
    ...(cause === undefined ? {} : { cause }),
  });
}

/**
 * Writes down how many partitions the topic has, in each of them: a topic that was emptied, or has more by now, then shows. Only for one
 * that holds nothing yet.
 * @param targets topics that the sink writes to
 * @throws EOS_TARGET_CHANGED, EOS_CONFIG where the target has records, so that positions must have been lost
 */
export async function setUpPositionsTopic(
  client: KafkaClient,
  topic: PositionsTopic,
  context: SinkContext,
  targets: readonly string[],
  settings: PositionsSettings,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    // Looked at first: whoever sets the topic up does so before there is a record in the target.
    const filled = settings.ignoreExistingRecords ? undefined : await filledTarget(client, targets);
    const logs = await topic.readAll();
    if (topic.hasLayout(logs)) return;
    if (logs.some(({ found }) => found.size > 0)) {
      const message = `topic ${topic.name} holds records that Eos has not written: use a topic of its own as positionsTopic`;
      throw new EosError('EOS_CONFIG', message, {
        details: { option: 'positionsTopic', topic: topic.name },
      });
    }
    if (filled !== undefined) throw filledError(topic.name, filled);
    try {
      await writeLayout(client, topic, context, settings);
    } catch (error) {
      // Another process of this pipeline begins at the same moment.
      const isOvertaken = isClientError(error) && error.kind === 'producer-lost';
      if (!isOvertaken || attempt === SET_UP_ATTEMPTS) throw error;
      await delay(Math.random() * SET_UP_PAUSE_MS);
    }
  }
}

const SET_UP_ATTEMPTS = 20;
const SET_UP_PAUSE_MS = 100;

/** To all partitions, or to none. Two that do so at the same time write the same. */
async function writeLayout(
  client: KafkaClient,
  topic: PositionsTopic,
  context: SinkContext,
  { transactionTimeoutMs }: PositionsSettings,
): Promise<void> {
  const producer = await client.initProducer({
    // As of a source partition without a name, which there is not: covered by the same grants.
    transactionalId: positionKey(context, ''),
    transactionTimeoutMs,
    timeoutMs: client.cluster.timeoutMs,
  });
  try {
    const record = {
      count: 1,
      keys: bytesColumn([LAYOUT_KEY]),
      values: bytesColumn([layoutValue(topic)]),
    };
    for (let partition = 0; partition < topic.partitions; partition++)
      await producer.send(topic.name, partition, record);
    await producer.commit();
  } finally {
    producer.close();
  }
}

interface FilledTarget {
  readonly topic: string;
  readonly records: bigint;
}

async function filledTarget(
  client: KafkaClient,
  targets: readonly string[],
): Promise<FilledTarget | undefined> {
  for (const topic of targets) {
    const ends = await client.admin.highWatermarks(topic);
    const records = [...ends.values()].reduce((sum, end) => sum + end, 0n);
    if (records > 0n) return { topic, records };
  }
  return undefined;
}

function filledError(positions: string, { topic, records }: FilledTarget): EosError {
  const message =
    `topic ${positions} holds no positions, and topic ${topic} has ${records.toString()} records: were positions deleted? ` +
    `Restore them. If the records are not from this pipeline, set ignoreExistingRecords: true for the first start`;
  return new EosError('EOS_CONFIG', message, {
    details: { option: 'ignoreExistingRecords', topic, records },
  });
}
