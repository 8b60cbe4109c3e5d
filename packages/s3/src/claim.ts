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
import type { ClaimEntry, Revocation } from './log/entry.js';
import type { OpenLog, TablePlace } from './log/index.js';
import { newNonce } from './log/nonce.js';
import { recordOf, scopeOf, type LogState } from './log/state.js';
import type { Settings } from './options.js';
import { tableEntry } from './table.js';
import { pendingOf } from './visibility/completion.js';
import { settleCommit } from './visibility/settle.js';

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
  const settled = new Map<bigint, Revocation | undefined>();
  let claimed: Positions = new Map<PartitionId, Position>();
  for (;;) {
    const open = () =>
      pendingOf(log.state, scopeOf(context), partitions).filter(({ seq }) => !settled.has(seq));
    for (const commit of open()) settled.set(commit.seq, await settleCommit(place, log.state, commit));
    const entry = await log.append((state) => {
      // One that came in between has uploads of its own.
      if (open().length > 0) return undefined;
      const pending = pendingOf(state, scopeOf(context), partitions);
      const revoking = pending.flatMap(({ seq }) => settled.get(seq) ?? []);
      claimed = judged(state, request, revoking);
      return claimEntry(state, request, revoking);
    });
    if (entry !== undefined) return claimed;
  }
}

/** The position of each partition, as the claim leaves it. */
function judged(state: LogState, request: ClaimRequest, revoking: readonly Revocation[]): Positions {
  const { context, partitions, replacing, owner, settings } = request;
  const target = state.table?.target ?? '';
  const revoked = new Map(revoking.flatMap(({ positions }) => [...positions]));
  const claimed = new Map<PartitionId, Position>();
  for (const partition of partitions) {
    const found = recordOf(state, scopeOf(context), partition)?.position;
    judgeClaim(partition, found, replacing.get(partition));
    judgeTarget(partition, found, target, `table ${settings.prefix}`);
    const position = revoked.get(partition) ?? found ?? initialPosition(owner, target);
    claimed.set(partition, { ...position, owner });
  }
  return claimed;
}

function claimEntry(
  state: LogState,
  { context, partitions, owner }: ClaimRequest,
  revoking: readonly Revocation[],
): ClaimEntry {
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
    revoking,
  };
}
