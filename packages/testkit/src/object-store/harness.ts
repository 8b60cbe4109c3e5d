import type { CanonicalValue } from '@eos/core';
import type { ObjectStore } from '@eos/object-store';
import type { CommitFaults, Route } from '../conformance/destination.js';
import type { TestRunner } from '../conformance/runner-port.js';

/** What an author of a store gives to the suite: a fresh and empty store for each test, and the means to trouble it. */
export interface StoreHarness {
  /** Another client of the store, independent of the others. `faulty`: through the network on which `faults` act. */
  open(route?: Route): ObjectStore | Promise<ObjectStore>;
  /** Lost and late answers, for a store that is reached by a network. */
  readonly faults?: CommitFaults;
  /** How a process of its own opens the same store, for one that is shared by the processes of a machine. */
  readonly child?: ChildStore;
  /** Frees everything. Stores may still be open. */
  close(): Promise<void>;
}

/** A module, built to JavaScript, that exports `objectStore(options)`: the same as `StoreHarness.open()`, in another process. */
export interface ChildStore {
  readonly module: URL;
  /** What the child's `objectStore` is called with, as JSON. */
  readonly options: CanonicalValue;
}

export interface ObjectStoreConformanceOptions extends TestRunner {
  /** Added to the suite's name. */
  readonly name?: string;
  /**
   * Who shares the store, and so what can go wrong: `process`: only this one; `machine`: processes that may be killed in the middle
   * of a call (the harness has `child`); `network`: clients whose answers get lost (the harness has `faults`).
   */
  readonly reach: 'process' | 'machine' | 'network';
  /** Makes a fresh, empty store. Called once for each test. */
  readonly create: () => Promise<StoreHarness>;
}
