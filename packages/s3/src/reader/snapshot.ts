/** The table as `eos verify` holds it against its source: rows and positions as of one entry of the log. */
import {
  EosError,
  rowLines,
  type PartitionId,
  type Position,
  type ReadTableOptions,
  type SinkContext,
  type TableSnapshot,
} from '@eos/core';
import { scopeOf } from '../log/state.js';
import type { Settings } from '../options.js';
import { openTable } from './open-table.js';

/**
 * @throws EOS_SCHEMA where there is no table; EOS_CONFIG for a key that it does not have; EOS_FORMAT, EOS_UNAVAILABLE, EOS_PERMISSION
 */
export async function readTable(
  settings: Settings,
  context: SinkContext,
  options: ReadTableOptions = {},
): Promise<TableSnapshot> {
  const opened = await settings.place.open();
  try {
    const table = await openTable(opened.store, settings.prefix);
    const key = options.key ?? table.key;
    const unknown = key.find((name) => table.schema.columns[name] === undefined);
    if (unknown !== undefined)
      throw new EosError('EOS_CONFIG', `the table has no column ${unknown}`, { details: { option: 'key' } });
    const { columns, encode } = rowLines(table.schema, key);
    return {
      description: `table ${settings.place.description} ${settings.prefix}`,
      positions: table.positions.get(scopeOf(context)) ?? new Map<PartitionId, Position>(),
      columns,
      keyColumns: key.length,
      encoder: () => async (batch) => encode(batch),
      async *rows() {
        for await (const rows of table.rows()) yield encode({ rows }).lines;
      },
      close: () => opened.close(),
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
}
