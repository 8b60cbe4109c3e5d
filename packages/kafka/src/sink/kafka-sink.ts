/** The port: topics of Kafka as a sink. */
import { defineSink, type Claim, type PartitionId, type SinkConnector, type SinkDriver } from '@eos/core';
import { openClient } from '../client/connect.js';
import { eosError } from '../client/eos-error.js';
import { positionsOf } from '../positions/positions-topic.js';
import { findPositionsTopic } from '../positions/set-up.js';
import { claimPartitions } from './claim.js';
import { checkOptions, type KafkaSinkOptions, type SinkPlace } from './options.js';
import { KafkaSession } from './session.js';
import { readStatus } from './status.js';
import { openTargets } from './targets.js';

/**
 * Topics of Kafka as a sink: the records of each source partition and its position are committed by one transaction. Consumers see them
 * with `isolation.level=read_committed`.
 * @example
 * const sink = kafkaSink({
 *   connection: { brokers: ['127.0.0.1:9092'] },
 *   topic: 'flights',
 *   format: json({ schema: rowSchema({ id: t.int64(), origin: t.string() }), key: ['id'] }),
 * });
 * @throws EOS_CONFIG, with the option's name
 */
export function kafkaSink<Row>(options: KafkaSinkOptions<Row>): SinkConnector<Row> {
  const settings = checkOptions(options);
  const { format, topics } = settings;
  const [first, ...others] = topics;
  return defineSink<Row>({
    description: `kafka ${first}${others.length === 0 ? '' : ` and ${others.length} more`}`,
    capabilities: {
      changelog: format.changelog,
      ...(format.changelog === 'upsert' && format.key !== undefined ? { key: format.key } : {}),
      atomic: 'partition',
      transactionTimeoutMs: settings.transactionTimeoutMs,
      staging: false,
      deadLetters: false,
      durable: true,
    },
    abilities: { status: (context) => readStatus({ settings, context }) },
    connect: (context) => connect({ settings, context }),
  });
}

async function connect<Row>(place: SinkPlace<Row>): Promise<SinkDriver<Row>> {
  const { settings, context } = place;
  const client = await openClient(settings.connection, settings.timeoutMs);
  // Whatever is wrong with options and topics shows here. The positions topic is made by the first claim.
  try {
    await openTargets(client, settings, context.mustExist === true);
    await findPositionsTopic(client, settings.positions.topic);
  } catch (error) {
    await client.close();
    throw eosError(error);
  }
  return {
    positions: (partitions) =>
      mapped(async () => {
        const topic = await findPositionsTopic(client, settings.positions.topic);
        return topic === undefined
          ? new Map<PartitionId, never>()
          : positionsOf(await topic.read(context, partitions));
      }),
    recover: (claim: Claim) =>
      mapped(async () => new KafkaSession(place, await claimPartitions(client, place, claim))),
    close: () => client.close(),
  };
}

async function mapped<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw eosError(error);
  }
}
