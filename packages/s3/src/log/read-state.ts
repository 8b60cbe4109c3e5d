import { loadCheckpoint, loadCheckpointBelow } from './checkpoints.js';
import { LOOK_AHEAD, readTail, type TablePlace } from './read.js';
import { applyEntry, type LogState } from './state.js';

/**
 * What the log says at its end, or behind the entry `at`. Reads at most the entries of one window one by one where checkpoints are
 * whole. Claims nothing and makes nothing. `seq` is -1 where there is no log; where it ends below `at`, that is its end.
 * @throws EOS_FORMAT
 */
export async function readState(place: TablePlace, at?: bigint): Promise<LogState> {
  const state = at === undefined ? await loadCheckpoint(place) : await loadCheckpointBelow(place, at);
  if (at !== undefined && at <= state.seq) return state;
  for await (const { seq, entry } of readTail(place, state.seq, LOOK_AHEAD)) {
    applyEntry(state, entry);
    if (seq === at) break;
  }
  return state;
}
