/** Law 1 on the log: a claim is an entry, so that a put of an older session finds its slot taken. */
import {
  initialPosition,
  judgeClaim,
  judgeTarget,
  type Claim,
  type PartitionId,
  type Position,
  type Positions,
  type SinkContext,
} from '@eos/core';
import type { ClaimEntry } from './log/entry.js';
import type { OpenLog, TablePlace } from './log/index.js';
import { newNonce } from './log/nonce.js';
import { recordOf, scopeOf, type LogState } from './log/state.js';
import type { Settings } from './options.js';
import { tableEntry } from './table.js';
import { completeCommit, pendingOf } from './visibility/completion.js';

export interface ClaimRequest extends Claim {
  readonly context: SinkContext;
  readonly settings: Settings;
  readonly place: TablePlace;
}

/**
 * Claims partitions. Once the claim is in the log, an older session that puts into the slot that it takes for the next one loses it to
 * this claim, or to an entry before it, which has been read.
 * @throws EOS_FENCED, EOS_TARGET_CHANGED, EOS_SCHEMA; EOS_UNKNOWN_OUTCOME where the claim may be there, or may come
 */
export async function claimPartitions(log: OpenLog, request: ClaimRequest): Promise<Positions> {
  const { settings, place, context, partitions } = request;
  await log.refresh();
  await log.append((state) => tableEntry(state, settings));
  const completed = new Set<bigint>();
  let claimed: Positions = new Map<PartitionId, Position>();
  for (;;) {
    const open = () =>
      pendingOf(log.state, scopeOf(context), partitions).filter(({ seq }) => !completed.has(seq));
    for (const { seq } of open()) {
      await completeCommit(place, seq);
      completed.add(seq);
    }
    const entry = await log.append((state) => {
      // One that came in between has uploads of its own.
      if (open().length > 0) return undefined;
      const found = judged(state, request);
      claimed = new Map([...found].map(([name, position]) => [name, { ...position, owner: request.owner }]));
      return claimEntry(state, request);
    });
    if (entry !== undefined) return claimed;
  }
}

/** The position of each partition as it is found. */
function judged(
  state: LogState,
  { context, partitions, replacing, owner, settings }: ClaimRequest,
): Positions {
  const target = state.table?.target ?? '';
  const found = new Map<PartitionId, Position>();
  for (const partition of partitions) {
    const position = recordOf(state, scopeOf(context), partition)?.position;
    judgeClaim(partition, position, replacing.get(partition));
    judgeTarget(partition, position, target, `table ${settings.prefix}`);
    found.set(partition, position ?? initialPosition(owner, target));
  }
  return found;
}

function claimEntry(state: LogState, { context, partitions, owner }: ClaimRequest): ClaimEntry {
  const { pipeline, sink } = context;
  const ownerOf = (name: PartitionId) => recordOf(state, scopeOf(context), name)?.position.owner ?? null;
  return {
    kind: 'claim',
    nonce: newNonce(),
    at: Date.now(),
    pipeline,
    sink,
    owner,
    replacing: new Map(partitions.map((name) => [name, ownerOf(name)])),
  };
}
