/** Whether a stored offset counts in the log that is there now. */
import { EosError, type Position } from '@eos/core';
import { readEntry, readState, type TablePlace } from '../log/index.js';
import { logPlace, type LogPlace } from './log-offset.js';

/**
 * Where reading starts.
 * @param after the entry behind which a first run begins; -1: at the start of the log
 * @throws EOS_SOURCE_CHANGED where the log is another one, or went back behind what was read
 */
export async function startOf(
  place: TablePlace,
  position: Position | undefined,
  scope: string,
  after: bigint,
): Promise<LogPlace> {
  if (position === undefined || position.offset === null) return { seq: after + 1n, row: 0 };
  const { source, offset } = position;
  if (source?.['kind'] !== 's3-log' || source['scope'] !== scope)
    throw changed(place, `the stored offset does not count in the log of ${scope}`);
  const { table } = await readState(place);
  if (table?.target !== source['target']) throw changed(place, 'the table was made again since');
  const seq = source['entry'];
  const read =
    typeof seq === 'string' && /^\d{1,19}$/.test(seq) ? await readEntry(place, BigInt(seq)) : undefined;
  if (read?.entry.nonce !== source['nonce'])
    throw changed(
      place,
      `entry ${typeof seq === 'string' ? seq : '?'}, which was read, is gone or another one (a restored backup?)`,
    );
  return logPlace(offset);
}

function changed({ store, prefix }: TablePlace, problem: string): EosError {
  return new EosError('EOS_SOURCE_CHANGED', `the log of ${store.description} ${prefix}: ${problem}`, {
    details: { prefix },
  });
}
