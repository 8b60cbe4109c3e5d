/** The topics that a sink writes to, and their identity: the id that Kafka gives each topic that is made. */
import { canonicalText, EosError, judgeTarget, type PartitionId, type Positions } from '@eos/core';
import { isClientError } from '../client/client-error.js';
import type { KafkaClient, TopicDescription } from '../client/client.js';
import type { Settings } from './options.js';

export interface Target extends TopicDescription {
  /** The largest record batch that it takes; undefined where this user may not ask. */
  readonly maxMessageBytes: number | undefined;
}

export type Targets = ReadonlyMap<string, Target>;

/**
 * Looks the topics up, and makes those that are missing and may be made.
 * @throws EOS_SCHEMA where one is not there
 */
export async function openTargets<Row>(
  client: KafkaClient,
  { topics, create }: Pick<Settings<Row>, 'topics' | 'create'>,
  mustExist: boolean,
): Promise<Targets> {
  let found = await client.admin.topics(topics);
  const missing = topics.filter((topic) => !found.has(topic));
  if (missing.length > 0) {
    if (create === undefined || mustExist) throw missingError(missing);
    for (const name of missing) await client.admin.createTopic({ name, ...create });
    found = await client.admin.topics(topics);
  }
  const targets = await Promise.all(
    topics.map(async (name): Promise<[string, Target]> => {
      const description = found.get(name);
      if (description === undefined) throw missingError([name]);
      return [name, { ...description, maxMessageBytes: await maxMessageBytes(client, name) }];
    }),
  );
  return new Map(targets);
}

async function maxMessageBytes(client: KafkaClient, topic: string): Promise<number | undefined> {
  try {
    const bytes = Number((await client.admin.topicConfig(topic)).get('max.message.bytes'));
    return bytes > 0 ? bytes : undefined;
  } catch (error) {
    if (isClientError(error, 'TOPIC_AUTHORIZATION_FAILED')) return undefined;
    throw error;
  }
}

function missingError(topics: readonly string[]): EosError {
  const message =
    `${topics.length === 1 ? `topic ${String(topics[0])} is` : `topics ${topics.join(', ')} are`} not there, or may not be described: ` +
    `make it with kafka-topics.sh --bootstrap-server … --create --topic ${String(topics[0])} --partitions …, or set create`;
  return new EosError('EOS_SCHEMA', message, { details: { topic: topics[0] } });
}

/** What is stored as the target: the id of each topic by its name. */
export function targetText(targets: Targets): string {
  return canonicalText(Object.fromEntries([...targets].map(([name, { id }]) => [name, id])));
}

/**
 * The identity to store with positions that were found: `targets`, and topics that rows went to before. A topic joins by being routed to.
 * @throws EOS_TARGET_CHANGED where a topic was deleted and made again, or none is one of those before
 */
export function settleTarget(found: Positions, targets: Targets): string {
  const current = new Map([...targets].map(([name, { id }]) => [name, id]));
  const joined = new Map(current);
  for (const [partition, position] of found) {
    if (position.epoch === 0n) continue;
    const stored = readTarget(position.target);
    const shared = [...stored].filter(([name]) => current.has(name));
    for (const [name, id] of shared) judge(partition, found, id, current.get(name) ?? '', `topic ${name}`);
    if (shared.length === 0) judge(partition, found, position.target, targetText(targets), 'set of topics');
    for (const [name, id] of stored) if (!joined.has(name)) joined.set(name, id);
  }
  return canonicalText(Object.fromEntries(joined));
}

function judge(partition: PartitionId, found: Positions, stored: string, now: string, what: string): void {
  const position = found.get(partition);
  judgeTarget(partition, position === undefined ? undefined : { ...position, target: stored }, now, what);
}

function readTarget(target: string): ReadonlyMap<string, string> {
  try {
    const value: unknown = JSON.parse(target);
    if (typeof value === 'object' && value !== null)
      return new Map(Object.entries(value).map(([name, id]) => [name, String(id)]));
  } catch {
    // Reported below.
  }
  throw new EosError('EOS_FORMAT', `no valid identity of topics: ${target.slice(0, 200)}`);
}
