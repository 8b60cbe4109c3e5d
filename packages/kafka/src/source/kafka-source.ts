import type {
  ChangelogMode,
  Located,
  Mark,
  PartitionId,
  Positions,
  Source,
  SourceContext,
  SourceLag,
} from '@eos/core';
import { openClient } from '../client/connect.js';
import type { KafkaClient } from '../client/client.js';
import { configError } from '../encoding/format-options.js';
import { assignments } from './assignments.js';
import { listOffsets } from './list-offsets.js';
import { sourceFailure } from './source-errors.js';
import { checkSourceOptions, type KafkaSourceOptions, type SourceSettings } from './source-options.js';
import { identityOf, NO_MARK } from './topic-identity.js';
import { TopicWatch } from './topic-watch.js';

/**
 * Reads topics of Apache Kafka 3.9 or later. Only committed records are read. Partitions are called `<topic>/<number>`; an offset is
 * the one in the log, so that a position is the offset of the next record (or control record) to be read.
 *
 * Processes with the same pipeline id share the partitions by a consumer group. Where each of them begins is what the destination holds:
 * the group's own offsets, and automatic resets, decide nothing.
 * @throws EOS_CONFIG
 * @example
 * kafkaSource({
 *   connection: { brokers: ['localhost:9092'] },
 *   topic: 'orders',
 *   format: json({ schema: rowSchema({ id: t.int64(), total: t.decimal(12, 2) }) }),
 * });
 */
export function kafkaSource<Row>(options: KafkaSourceOptions<Row>): Source<Row> {
  const settings = checkSourceOptions(options);
  const changelog: ChangelogMode = settings.format.changelog;
  return {
    description: `kafka ${settings.topics.join(', ')}`,
    changelog,
    replayable: true,
    abilities: { lag: (positions) => withClient(settings, (client) => lagOf(client, settings, positions)) },
    assignments: (context) => assignments(settings, context),
    locate: (partition, mark, context) => locate(settings, partition, mark, context),
  };
}

async function withClient<Row, T>(
  settings: SourceSettings<Row>,
  work: (client: KafkaClient) => Promise<T>,
): Promise<T> {
  const client = await openClient(settings.connection, settings.timeoutMs);
  try {
    return await work(client);
  } catch (error) {
    throw sourceFailure(error);
  } finally {
    await client.close();
  }
}

/** Offsets count records, and control records among them. */
async function lagOf<Row>(
  { cluster }: KafkaClient,
  { topics }: SourceSettings<Row>,
  positions: Positions,
): Promise<ReadonlyMap<PartitionId, SourceLag>> {
  const places = await new TopicWatch(cluster, topics).places();
  const wanted = places.map(({ place, partition }) => ({ topic: place.topic, partition }));
  const earliest = await listOffsets(cluster, wanted, 'earliest');
  const starts = new Map(earliest.map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset]));
  const latest = await listOffsets(cluster, wanted, 'latest');
  return new Map(
    latest.map(({ topic, partition, offset: end }): [PartitionId, SourceLag] => {
      const name = `${topic}/${partition}`;
      const start = starts.get(name) ?? 0n;
      const offset = positions.get(name)?.offset ?? start;
      return [name, { unit: 'rows', behind: end > offset ? end - offset : 0n, total: end - start }];
    }),
  );
}

async function locate<Row>(
  settings: SourceSettings<Row>,
  partition: PartitionId,
  mark: Mark,
  { signal }: SourceContext,
): Promise<Located> {
  signal.throwIfAborted();
  if (!('offset' in mark))
    throw configError(
      'rows',
      `a partition of a topic has gaps: name the offset of the next record to be read, not a count of rows`,
    );
  const { offset } = mark;
  return await withClient(settings, async ({ cluster }) => {
    const places = await new TopicWatch(cluster, settings.topics).places();
    const found = places.find(({ name }) => name === partition);
    if (found === undefined)
      throw configError('partition', `there is no partition ${partition} in the topics that are read`);
    const { place, partition: number } = found;
    const [latest] = await listOffsets(cluster, [{ topic: place.topic, partition: number }], 'latest');
    if (latest !== undefined && offset > latest.offset)
      throw configError(
        'offset',
        `partition ${partition} ends at ${latest.offset.toString()}, before ${offset.toString()}`,
      );
    return { offset, source: identityOf(place, NO_MARK) };
  });
}
