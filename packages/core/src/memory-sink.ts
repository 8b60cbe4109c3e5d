/**
 * The law, to be read: a destination in memory and the sink on it. It serves to test what is built on the port; a transaction is
 * buffered whole, and nothing outlives the process.
 */
import type { ChangeBatch } from './changes.js';
import type { ChangelogMode } from './changelog.js';
import { judgeClaim, judgeCommit, judgeTarget } from './claims.js';
import {
  defineSink,
  type Claim,
  type DriverCommit,
  type SinkDriver,
  type TransactionDriver,
} from './define-sink.js';
import { EosError } from './errors.js';
import { randomId, type PartitionId } from './identifiers.js';
import { MemoryRows } from './memory-rows.js';
import { initialPosition, type Position, type Positions } from './positions.js';
import type { SinkConnector, SinkContext } from './sink.js';

export interface MemoryStoreOptions {
  /** Default `append`. */
  readonly mode?: ChangelogMode;
  /** Columns of the key: needed for `upsert`. */
  readonly key?: readonly string[];
}

/** The destination. Each method is one atomic step, as a transaction of a database is: rows and positions lie side by side. */
export interface MemoryStore<Row> {
  readonly changelog: ChangelogMode;
  readonly key?: readonly string[];
  positions(context: SinkContext): Promise<Positions>;
  claim(context: SinkContext, claim: Claim): Promise<Positions>;
  commit(context: SinkContext, commit: DriverCommit, batches: readonly ChangeBatch<Row>[]): Promise<void>;
  /** What the destination holds now. */
  rows(): Row[];
  /** Saves the whole state; call what is returned to go back to it, as to a restored backup. */
  save(): () => void;
  /** Drops the rows and makes the destination again, as another one: the positions, which lie apart, stay. */
  recreate(): void;
}

/**
 * Makes an empty destination.
 * @throws EOS_CONFIG for `upsert` without a key
 */
export function memoryStore<Row extends object>(options: MemoryStoreOptions = {}): MemoryStore<Row> {
  const { mode = 'append', key = [] } = options;
  if (mode === 'upsert' && key.length === 0)
    throw new EosError('EOS_CONFIG', `mode: 'upsert' needs a key`, { details: { option: 'key' } });

  let target = randomId().toString();
  let table = new MemoryRows<Row>(mode, key);
  let records: ReadonlyMap<string, Positions> = new Map();

  const scopeOf = ({ pipeline, sink }: SinkContext) => `${pipeline}/${sink}`;
  const recordsOf = (context: SinkContext): Positions => records.get(scopeOf(context)) ?? new Map();
  const store = (context: SinkContext, changed: Positions) => {
    records = new Map(records).set(scopeOf(context), new Map([...recordsOf(context), ...changed]));
  };

  /** Law 1. Nothing is in flight between two atomic steps: to write the owner is the whole barrier. */
  function claim(context: SinkContext, { partitions, owner, replacing }: Claim): Positions {
    const claimed = new Map<PartitionId, Position>();
    for (const partition of partitions) {
      const found = recordsOf(context).get(partition);
      judgeClaim(partition, found, replacing.get(partition));
      judgeTarget(partition, found, target, 'memory store');
      claimed.set(partition, { ...(found ?? initialPosition(owner, target)), owner });
    }
    store(context, claimed);
    return claimed;
  }

  /** Law 2: the comparison, the rows and the positions, in one step. */
  function commit(
    context: SinkContext,
    { from, next }: DriverCommit,
    batches: readonly ChangeBatch<Row>[],
  ): void {
    for (const [partition, position] of from)
      judgeCommit(partition, recordsOf(context).get(partition), position);
    table.apply(batches);
    store(context, next);
  }

  return {
    changelog: mode,
    ...(mode === 'upsert' ? { key } : {}),
    positions: async (context) => recordsOf(context),
    claim: async (context, wanted) => claim(context, wanted),
    commit: async (context, wanted, batches) => commit(context, wanted, batches),
    rows: () => table.all(),
    save: () => {
      const [savedRecords, restoreRows] = [records, table.save()];
      return () => {
        records = savedRecords;
        restoreRows();
      };
    },
    recreate: () => {
      target = randomId().toString();
      table = new MemoryRows(mode, key);
    },
  };
}

/** A sink that writes to `store`. Several sinks, of several pipelines, may share one. */
export function memorySink<Row>(store: MemoryStore<Row>): SinkConnector<Row> {
  const { changelog, key } = store;
  return defineSink<Row>({
    description: 'memory',
    capabilities: {
      changelog,
      ...(key === undefined ? {} : { key }),
      atomic: 'transaction',
      staging: true,
      deadLetters: false,
      durable: false,
    },
    connect: async (context) => memoryDriver(store, context),
  });
}

function memoryDriver<Row>(store: MemoryStore<Row>, context: SinkContext): SinkDriver<Row> {
  return {
    positions: async (partitions) => {
      const all = await store.positions(context);
      return new Map([...all].filter(([name]) => partitions?.includes(name) ?? true));
    },
    recover: async (claim) => ({
      positions: await store.claim(context, claim),
      begin: async () => memoryTransaction(store, context),
      close: async () => {},
    }),
    close: async () => {},
  };
}

function memoryTransaction<Row>(store: MemoryStore<Row>, context: SinkContext): TransactionDriver<Row> {
  const batches: ChangeBatch<Row>[] = [];
  return {
    write: async (batch) => void batches.push(batch),
    prepare: async () => {},
    commit: (commit) => store.commit(context, commit, batches),
    rollback: async () => {},
  };
}
