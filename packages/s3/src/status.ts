/** What the log says of a sink, read without making or claiming anything. */
import type { PartitionId, PartitionStatus, SinkContext, SinkStatus } from '@eos/core';
import { readState } from './log/index.js';
import { scopeOf } from './log/state.js';
import type { Settings } from './options.js';

/** @throws EOS_UNAVAILABLE, EOS_PERMISSION, EOS_FORMAT */
export async function readStatus({ place, prefix }: Settings, context: SinkContext): Promise<SinkStatus> {
  const opened = await place.open();
  try {
    const { records } = await readState({ store: opened.store, prefix });
    const found = [...(records.get(scopeOf(context)) ?? [])].map(
      ([partition, { position, committedAt }]): [PartitionId, PartitionStatus] => [
        partition,
        { position, ...(committedAt === undefined ? {} : { committedAt: new Date(committedAt) }) },
      ],
    );
    return new Map(found);
  } finally {
    await opened.close();
  }
}
