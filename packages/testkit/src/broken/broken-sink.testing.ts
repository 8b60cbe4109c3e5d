import {
  defineSink,
  type ChangeBatch,
  type Claim,
  type DriverCommit,
  type Positions,
  type SinkCapabilities,
  type SinkConnector,
  type SinkContext,
  type SinkDriver,
} from '@eos/core';
import type { ConformanceRow } from '../conformance/schema.js';
import type { ConformanceStore } from '../memory/memory-destination.js';

/** What a broken sink does in place of what `memorySink` does. Left out: the same. */
export interface Breakage {
  readonly capabilities?: Partial<SinkCapabilities>;
  readonly positions?: (sink: BrokenContext) => Promise<Positions>;
  readonly claim?: (sink: BrokenContext, claim: Claim) => Promise<Positions>;
  readonly write?: (sink: BrokenContext, batch: Batch, buffer: Batch[]) => Promise<void>;
  readonly prepare?: (sink: BrokenContext, buffer: Batch[]) => Promise<void>;
  readonly commit?: (sink: BrokenContext, commit: DriverCommit, buffer: readonly Batch[]) => Promise<void>;
  readonly closeSession?: (sink: BrokenContext) => Promise<void>;
  /** One buffer for all transactions of a session. */
  readonly sharesBuffer?: boolean;
}

export type Batch = ChangeBatch<ConformanceRow>;

export interface BrokenContext {
  readonly store: ConformanceStore;
  readonly context: SinkContext;
  /** Whatever a breakage wants to remember, for each sink that is opened. */
  readonly memory: Map<string, unknown>;
}

const NOTHING: Positions = new Map();

/** The step of the store that changes rows and compares nothing. */
export async function applyRows({ store, context }: BrokenContext, batches: readonly Batch[]): Promise<void> {
  await store.commit(context, { from: NOTHING, next: NOTHING, hasRows: true }, batches);
}

/** The step of the store that moves positions and compares nothing. */
export async function movePositions({ store, context }: BrokenContext, next: Positions): Promise<void> {
  await store.commit(context, { from: NOTHING, next, hasRows: false }, []);
}

/** The sink of the store, with one thing done wrong. */
export function brokenSink(breakage: Breakage): (store: ConformanceStore) => SinkConnector<ConformanceRow> {
  return (store) => {
    const { changelog, key } = store;
    return defineSink<ConformanceRow>({
      description: 'broken memory',
      capabilities: {
        changelog,
        ...(key === undefined ? {} : { key }),
        atomic: 'transaction',
        staging: true,
        deadLetters: false,
        durable: false,
        ...breakage.capabilities,
      },
      connect: async (context) => brokenDriver({ store, context, memory: new Map() }, breakage),
    });
  };
}

function brokenDriver(sink: BrokenContext, breakage: Breakage): SinkDriver<ConformanceRow> {
  const { store, context } = sink;
  const { positions, claim, write, prepare, commit, closeSession, sharesBuffer = false } = breakage;
  return {
    positions: async (partitions) => {
      if (positions !== undefined) return await positions(sink);
      const all = await store.positions(context);
      return partitions === undefined ? all : new Map([...all].filter(([name]) => partitions.includes(name)));
    },
    recover: async (wanted) => {
      const shared: Batch[] = [];
      return {
        positions: await (claim?.(sink, wanted) ?? store.claim(context, wanted)),
        begin: async () => {
          const buffer = sharesBuffer ? shared : [];
          return {
            write: async (batch) => {
              if (write === undefined) buffer.push(batch);
              else await write(sink, batch, buffer);
            },
            prepare: async () => prepare?.(sink, buffer),
            commit: (range) => {
              const batches = sharesBuffer ? buffer.splice(0) : buffer;
              return commit?.(sink, range, batches) ?? store.commit(context, range, batches);
            },
            rollback: async () => undefined,
          };
        },
        close: async () => closeSession?.(sink),
      };
    },
    close: async () => undefined,
  };
}

/** A turn of the event loop: others get on meanwhile. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
