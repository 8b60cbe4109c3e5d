/** What the table knows of a sink: read only, claims nothing. */
import type { PartitionId, PartitionStatus, SinkContext, SinkStatus } from '@eos/core';
import { readTable } from '../log/read-table.js';
import type { TableState } from '../log/table-state.js';
import type { Settings } from '../options.js';
import { committedAt, readRecords } from '../positions/records.js';

/** @throws EOS_UNAVAILABLE, EOS_PERMISSION, EOS_FORMAT */
export async function readStatus(
  { location }: Pick<Settings, 'location'>,
  context: SinkContext,
): Promise<SinkStatus> {
  const opened = await location.store.open();
  try {
    return statusIn((await readTable(opened.store, location.place)).state, context);
  } finally {
    await opened.close();
  }
}

function statusIn(state: TableState, context: SinkContext): SinkStatus {
  if (state.version < 0) return new Map();
  const positions = readRecords(state.transactions, context, state.metadata.id);
  return new Map(
    [...positions].map(([partition, position]): [PartitionId, PartitionStatus] => {
      const at = committedAt(state.transactions, context, partition);
      return [partition, { position, ...(at === undefined ? {} : { committedAt: at }) }];
    }),
  );
}
