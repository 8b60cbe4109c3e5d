/** What the positions topic tells of a sink, read without making or claiming anything. */
import type { PartitionStatus, SinkStatus } from '@eos/core';
import { openClient } from '../client/connect.js';
import { eosError } from '../client/eos-error.js';
import { findPositionsTopic } from '../positions/set-up.js';
import type { SinkPlace } from './options.js';

/** @throws EOS_UNAVAILABLE, EOS_PERMISSION, EOS_FORMAT */
export async function readStatus<Row>({ settings, context }: SinkPlace<Row>): Promise<SinkStatus> {
  const client = await openClient(settings.connection, settings.timeoutMs);
  try {
    const topic = await findPositionsTopic(client, settings.positions.topic);
    const stored = (await topic?.read(context)) ?? new Map<string, never>();
    return new Map(
      [...stored].map(([partition, { position, committedAt }]): [string, PartitionStatus] => [
        partition,
        { position, ...(committedAt === undefined ? {} : { committedAt: new Date(committedAt) }) },
      ]),
    );
  } catch (error) {
    throw eosError(error);
  } finally {
    await client.close();
  }
}
