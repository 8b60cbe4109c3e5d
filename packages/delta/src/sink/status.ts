/** What the table knows of a sink: read only, claims nothing. */
import type { PartitionId, PartitionStatus, SinkContext, SinkStatus } from '@eos/core';
import { readTable } from '../log/read-table.js';
import type { Settings } from '../options.js';
import { committedAt, readRecords } from '../positions/records.js';

/** @throws EOS_UNAVAILABLE, EOS_PERMISSION, EOS_FORMAT */
export async function readStatus({ store, place }: Settings, context: SinkContext): Promise<SinkStatus> {
  const { state } = await readTable(store, place);
  if (state.version < 0) return new Map();
  const positions = readRecords(state.transactions, context, state.metadata.id);
  return new Map(
    [...positions].map(([partition, position]): [PartitionId, PartitionStatus] => {
      const at = committedAt(state.transactions, context, partition);
      return [partition, { position, ...(at === undefined ? {} : { committedAt: at }) }];
    }),
  );
}
