import type { CanonicalValue, SinkConnector } from '@eos/core';
import type { ConformanceRow, FoundRow } from './schema.js';

/** What an author of a sink gives to the suite: a fresh and empty destination for each test, and the means to trouble it. */
export interface Destination {
  /**
   * A connector to the rows of `conformanceSchema` in this destination. `direct`: nothing lies between; `faulty`: through the
   * network on which `faults` and `outage` act. Called many times; every sink it opens is independent of the others.
   */
  connector(route: Route): SinkConnector<ConformanceRow>;
  /** What a reader sees now. Read by other means than the sink, in any order. */
  rows(): Promise<readonly FoundRow[]>;
  /**
   * Where the rows came from that were set aside, in any order; needed where the connector declares `deadLetters`. The destination, or
   * else the sink, then has to reject rows whose name is {@link rejectedName}.
   */
  deadLetters?(): Promise<readonly FoundLetter[]>;
  readonly faults: CommitFaults;
  readonly outage: Outage;
  readonly history: History;
  /**
   * Drops what holds the rows (a table, a topic), and makes it again, empty, as a person would; the positions stay. Undefined only
   * where they lie in it, and so go with it.
   */
  readonly recreate: (() => Promise<void>) | undefined;
  /** How a process of its own opens the same destination; undefined only where the connector declares `durable: false`. */
  readonly child: ChildConnector | undefined;
  /** Frees everything. Sinks may still be open. */
  close(): Promise<void>;
}

/** A row that was set aside, as a reader sees it. */
export interface FoundLetter {
  readonly partition: string;
  readonly offset: bigint;
}

export type Route = 'direct' | 'faulty';

/**
 * - `answer-lost`: the request lands and takes effect; its answer never comes.
 * - `request-lost`: it never arrives.
 * - `request-late`: its sender is told that the connection is gone; it arrives at `release()`.
 */
export type CommitFault = 'answer-lost' | 'request-lost' | 'request-late';

export interface CommitFaults {
  /** Strikes the next commit request on the faulty route, once. Called right before it, when nothing else is under way. */
  arm(fault: CommitFault): void | Promise<void>;
  /** Delivers what `request-late` held back; resolves when the destination has dealt with it. */
  release(): Promise<void>;
}

/** The destination cannot be reached on the faulty route, and what was connected is cut. */
export interface Outage {
  stop(): void | Promise<void>;
  start(): void | Promise<void>;
}

/** Takes the destination back to an earlier state: rows and positions, as a restored backup does. No transaction is open then. */
export interface History {
  save(): Promise<void>;
  restore(): Promise<void>;
}

/**
 * A module, built to JavaScript, that exports `connector(options)`: the same as `Destination.connector('direct')`, in another
 * process.
 */
export interface ChildConnector {
  readonly module: URL;
  /** What the child's `connector` is called with, as JSON. */
  readonly options: CanonicalValue;
}
