/** What the log says when it was read up to an entry: one rule for every reader, so that all come to the same. */
import { initialPosition, type Owner, type PartitionId, type Position, type SinkContext } from '@eos/core';
import type {
  BaseEntry,
  ClaimEntry,
  CommitEntry,
  LogEntry,
  ManifestReference,
  Revocation,
  TableDescription,
  TableEntry,
} from './entry.js';

/**
 * Memory: one record for each (pipeline, sink, partition) that ever wrote to the table. It does not hold the table's files: they are
 * streamed from the log by who needs them.
 */
export interface LogState {
  /** The last entry that was read; -1 in front of the first. */
  seq: bigint;
  /** Of that entry; empty in front of the first. */
  nonce: string;
  /** Undefined where the log is empty. */
  table: TableDescription | undefined;
  /** No file whose name carries a number below it may be committed. */
  floor: bigint;
  /** The newest floor entry; null: none yet. */
  floorSeq: bigint | null;
  /** The newest compaction; null: none yet. */
  base: Base | null;
  /** By {@link scopeOf}, then by partition. */
  readonly records: Map<string, Map<PartitionId, StoredRecord>>;
  /** With `visibility: 'listing'`: of each owner, the commit whose uploads may not be complete yet. */
  readonly pending: Map<Owner, PendingCommit>;
  /** Entries above the base that took no effect, or were revoked. Few: each stands for an accident. */
  readonly voids: Set<bigint>;
}

export interface StoredRecord {
  readonly position: Position;
  /** Milliseconds since 1970 by the writer's clock; undefined at epoch 0. */
  readonly committedAt?: number;
}

export interface Base {
  readonly seq: bigint;
  readonly upTo: bigint;
  readonly manifests: readonly ManifestReference[];
}

export interface PendingCommit {
  readonly seq: bigint;
  readonly scope: string;
  readonly partitions: readonly PartitionId[];
}

export function emptyState(): LogState {
  return {
    seq: -1n,
    nonce: '',
    table: undefined,
    floor: 0n,
    floorSeq: null,
    base: null,
    records: new Map(),
    pending: new Map(),
    voids: new Set(),
  };
}

/** Of one (pipeline, sink): neither name holds a slash. */
export function scopeOf({ pipeline, sink }: Pick<SinkContext, 'pipeline' | 'sink'>): string {
  return `${pipeline}/${sink}`;
}

export function recordOf(state: LogState, scope: string, partition: PartitionId): StoredRecord | undefined {
  return state.records.get(scope)?.get(partition);
}

/**
 * Takes the next entry. Returns false where it is void: it compares with something that is not there. Its writer did not know the log
 * that it wrote to, which can only be where entries were taken away under it.
 */
export function applyEntry(state: LogState, entry: LogEntry): boolean {
  state.seq += 1n;
  state.nonce = entry.nonce;
  const hasEffect = applied(state, entry);
  if (!hasEffect) state.voids.add(state.seq);
  return hasEffect;
}

function applied(state: LogState, entry: LogEntry): boolean {
  switch (entry.kind) {
    case 'table':
      return applyTable(state, entry);
    case 'claim':
      return applyClaim(state, entry);
    case 'commit':
      return applyCommit(state, entry);
    case 'floor':
      if (entry.floor < state.floor) return false;
      state.floor = entry.floor;
      state.floorSeq = state.seq;
      return true;
    case 'base':
      return applyBase(state, entry);
  }
}

function applyTable(state: LogState, { table }: TableEntry): boolean {
  if (state.table !== undefined && !extendsTable(state.table, table)) return false;
  state.table = table;
  return true;
}

function extendsTable(before: TableDescription, after: TableDescription): boolean {
  const isSame =
    before.target === after.target &&
    before.mode === after.mode &&
    before.visibility === after.visibility &&
    before.key.join() === after.key.join();
  return (
    isSame &&
    before.columns.every(({ name, type }, index) => {
      const column = after.columns[index];
      return column?.name === name && column.type === type;
    })
  );
}

function applyClaim(state: LogState, entry: ClaimEntry): boolean {
  const { owner, replacing, revoking } = entry;
  if (state.table === undefined) return false;
  const scope = scopeOf(entry);
  for (const [partition, found] of replacing) {
    if ((recordOf(state, scope, partition)?.position.owner ?? null) !== found) return false;
  }
  if (!revoking.every((revocation) => isRevocable(state, scope, revocation))) return false;
  for (const revocation of revoking) revoke(state, scope, revocation);
  const records = recordsOf(state, scope);
  for (const partition of replacing.keys()) {
    const before = records.get(partition);
    const position = before?.position ?? initialPosition(owner, state.table.target);
    records.set(partition, { ...before, position: { ...position, owner } });
  }
  // Who claims has completed what was committed to these partitions before.
  for (const [of, pending] of state.pending) {
    if (pending.scope === scope && pending.partitions.some((name) => replacing.has(name)))
      state.pending.delete(of);
  }
  return true;
}

/** Only what nobody has built on: the pending commit of its owner. */
function isRevocable({ pending, records }: LogState, scope: string, { seq, positions }: Revocation): boolean {
  const commit = [...pending.values()].find((one) => one.seq === seq && one.scope === scope);
  if (commit?.partitions.length !== positions.size) return false;
  return commit.partitions.every((name) => {
    const found = records.get(scope)?.get(name)?.position;
    return found !== undefined && positions.get(name)?.epoch === found.epoch + 1n;
  });
}

function revoke(state: LogState, scope: string, { seq, positions }: Revocation): void {
  const records = recordsOf(state, scope);
  for (const [name, position] of positions) {
    const before = records.get(name);
    records.set(name, {
      ...before,
      position: { ...position, owner: before?.position.owner ?? position.owner },
    });
  }
  for (const [owner, commit] of state.pending) if (commit.seq === seq) state.pending.delete(owner);
  state.voids.add(seq);
}

function applyCommit(state: LogState, entry: CommitEntry): boolean {
  const { owner, positions, seen, files, at } = entry;
  const scope = scopeOf(entry);
  if (seen < state.floor) return false;
  for (const [partition, next] of positions) {
    const found = recordOf(state, scope, partition)?.position;
    if (found?.owner !== owner || found.epoch + 1n !== next.epoch) return false;
  }
  const records = recordsOf(state, scope);
  for (const [partition, position] of positions) records.set(partition, { position, committedAt: at });
  if (files.some(({ upload }) => upload !== undefined)) {
    const partitions = [...positions.keys()];
    state.pending.set(owner, { seq: state.seq, scope, partitions });
  } else {
    // Who commits has completed what it had committed before.
    state.pending.delete(owner);
  }
  return true;
}

function applyBase(state: LogState, { replacing, upTo, manifests }: BaseEntry): boolean {
  const before = state.base;
  if ((before?.seq ?? null) !== replacing || upTo >= state.seq) return false;
  // Its files carry the number, as those of a commit do: vacuum may have deleted them.
  if (upTo < state.floor) return false;
  if (before !== null && upTo < before.upTo) return false;
  state.base = { seq: state.seq, upTo, manifests };
  for (const seq of state.voids) if (seq <= upTo) state.voids.delete(seq);
  return true;
}

function recordsOf(state: LogState, scope: string): Map<PartitionId, StoredRecord> {
  const found = state.records.get(scope);
  if (found !== undefined) return found;
  const records = new Map<PartitionId, StoredRecord>();
  state.records.set(scope, records);
  return records;
}
