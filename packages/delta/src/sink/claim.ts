/** Claims: a commit of its own, which takes the slot that a commit of an earlier session would need (law 1). */
import {
  initialPosition,
  judgeClaim,
  judgeTarget,
  randomId,
  type Claim,
  type PartitionId,
  type Position,
  type Positions,
  type SinkContext,
} from '@eos/core';
import { tablePlan, type TablePlan } from '../files/table-plan.js';
import { NO_ACTIONS, type CommitActions, type Metadata, type Protocol } from '../log/actions.js';
import type { DeltaLog } from '../log/delta-log.js';
import { checkWritable, isAppendOnly } from '../log/protocol.js';
import { checkRetention } from '../log/retention.js';
import type { TableState } from '../log/table-state.js';
import type { Settings } from '../options.js';
import { applicationId, checkPartitionName } from '../positions/application-ids.js';
import { readOwnership, readRecord, recordActions } from '../positions/records.js';
import { newTable } from './new-table.js';
import { planTableColumns } from './table-columns.js';
import { commitInfo } from './table-session.js';
import { EosError } from '@eos/core';

export interface Claimed {
  readonly positions: Positions;
  readonly plan: TablePlan;
  readonly protocol: Protocol;
}

/**
 * Claims partitions on a log that was just read. Where somebody else commits first, everything is judged again.
 * @throws EOS_FENCED, EOS_TARGET_CHANGED, EOS_SCHEMA; EOS_UNKNOWN_OUTCOME where the claim may be there
 */
export async function claimPartitions(
  log: DeltaLog,
  settings: Settings,
  context: SinkContext,
  claim: Claim,
): Promise<Claimed> {
  for (const partition of claim.partitions) checkPartitionName(partition);
  for (;;) {
    const { actions, claimed } = planClaim(log.state, settings, context, claim);
    if (await log.append(actions, (state) => isClaimed(state, context, claim))) return claimed;
    await log.advance();
  }
}

/** Whether a state holds the claim. Another claim may have come since: this one was there all the same, and is fenced. */
function isClaimed(state: TableState, context: SinkContext, { partitions, owner }: Claim): boolean {
  return partitions.every(
    (partition) => readOwnership(state.transactions, context, partition)?.owner === owner,
  );
}

interface PlannedClaim {
  readonly actions: CommitActions;
  readonly claimed: Claimed;
}

function planClaim(state: TableState, settings: Settings, context: SinkContext, claim: Claim): PlannedClaim {
  const now = Date.now();
  const table = planTable(state, settings, context, now);
  const { metadata } = table;
  const positions = new Map<PartitionId, Position>();
  for (const partition of claim.partitions) {
    const found = readRecord(state.transactions, context, partition, metadata.id);
    judgeClaim(partition, found, claim.replacing.get(partition));
    judgeTarget(partition, found, metadata.id, 'Delta table');
    positions.set(partition, { ...(found ?? initialPosition(claim.owner, metadata.id)), owner: claim.owner });
  }
  const transactions = [...positions].flatMap(([partition, position]) => [
    // Also where it is there already, by a claim whose answer was lost: a claim is a commit, whatever it changes.
    { appId: applicationId(context, partition, 'owner'), version: claim.owner, lastUpdated: now },
    ...recordActions(state.transactions, context, partition, position, now).filter(
      ({ appId }) => appId !== applicationId(context, partition, 'owner'),
    ),
  ]);
  const info = commitInfo(randomId(), context, {
    operation: state.version < 0 ? 'CREATE TABLE' : 'EOS CLAIM',
    parameters: {},
    isBlindAppend: true,
    readVersion: state.version,
    now,
  });
  return {
    actions: { ...NO_ACTIONS, info, ...table.changes, transactions },
    claimed: { positions, plan: table.plan, protocol: table.protocol },
  };
}

interface PlannedTable {
  readonly protocol: Protocol;
  readonly metadata: Metadata;
  /** What the claim has to write of them. */
  readonly changes: { readonly protocol?: Protocol; readonly metadata?: Metadata };
  readonly plan: TablePlan;
}

/** The table as the session will find it: made, or with the columns that it lacks. */
function planTable(state: TableState, settings: Settings, context: SinkContext, now: number): PlannedTable {
  if (state.version < 0) {
    const made = newTable(settings, context.mustExist === true, now);
    checkTable(made.protocol, made.metadata, settings);
    return { ...made, changes: made, plan: planOf(settings, made.metadata) };
  }
  const { protocol } = state;
  checkTable(protocol, state.metadata, settings);
  const { evolved, fields } = planTableColumns(settings, state.metadata);
  const metadata = evolved ?? state.metadata;
  return {
    protocol,
    metadata,
    changes: evolved === undefined ? {} : { metadata: evolved },
    plan: tablePlan(metadata, fields),
  };
}

function planOf(settings: Settings, metadata: Metadata): TablePlan {
  return tablePlan(metadata, planTableColumns(settings, metadata).fields);
}

/**
 * Whether this sink may write to the table.
 * @throws EOS_SCHEMA naming what stands against it
 */
export function checkTable(protocol: Protocol, metadata: Metadata, { mode }: Pick<Settings, 'mode'>): void {
  checkWritable(protocol, metadata);
  checkRetention(metadata);
  if (mode === 'upsert' && isAppendOnly(metadata)) {
    const message = `the table property delta.appendOnly lets rows be added only, and mode: 'upsert' changes them`;
    throw new EosError('EOS_SCHEMA', message, { details: { property: 'delta.appendOnly' } });
  }
}
