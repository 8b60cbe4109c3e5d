/** Checkpoints that happen by themselves, beside the commits of one writer. */
import { setTimeout as delay } from 'node:timers/promises';
import { EosError, messageOf } from '@eos/core';
import type { Version } from './actions.js';
import { cleanUpLog } from './clean-up.js';
import type { DeltaLog } from './delta-log.js';
import { writeCheckpoint, type CheckpointContent } from './write-checkpoint.js';

const DEFAULT_INTERVAL = 10;

/** Commits without a checkpoint, in intervals, after which a writer that cannot write one stops. */
const PATIENCE = 10;

const CLEAN_UP_PAUSE_MS = 86_400_000;

const CLOSE_PATIENCE_MS = 10_000;

/**
 * Writes a checkpoint whenever the table's interval is over, one at a time, while commits go on; and once a day what comes with it, the
 * clean-up of the log. A commit never fails by it: what failed is tried again behind the next one.
 */
export class Checkpointer {
  #running: Promise<void> | undefined;
  #failure: unknown;
  #last: Version;
  #nextCleanUp = 0;

  constructor(private readonly log: DeltaLog) {
    this.#last = log.state.version;
  }

  /** To be called behind each commit of this writer. */
  committed(): void {
    const { state, hint } = this.log;
    this.#last = Math.max(this.#last, hint);
    const interval = checkpointInterval(state.metadata.configuration);
    const isTime = state.version > 0 && state.version % interval === 0;
    const isLate = state.version - this.#last >= 2 * interval;
    if (!(isTime || isLate) || this.#running !== undefined) return;
    // Everything is copied before the next commit is applied.
    const { version, protocol, metadata, transactions, domains, files } = state;
    const copied = files.copy();
    const all = { transactions: [...transactions.values()], domains: [...domains.values()] };
    this.#running = copied
      .then((found) => this.#write({ version, protocol, metadata, ...all, files: found }))
      .then(
        () => {
          this.#last = Math.max(this.#last, version);
          this.#failure = undefined;
        },
        (error: unknown) => {
          this.#failure = error;
        },
      )
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** @throws EOS_UNAVAILABLE where the log grows and grows since no checkpoint could be written */
  check(): void {
    if (this.#failure === undefined) return;
    const { version, metadata } = this.log.state;
    if (version - this.#last < PATIENCE * checkpointInterval(metadata.configuration)) return;
    throw new EosError(
      'EOS_UNAVAILABLE',
      `no checkpoint of the Delta table could be written since version ${this.#last}: ${messageOf(this.#failure)}`,
      { retryable: true, cause: this.#failure },
    );
  }

  /** Waits for the one under way; not for long where the store does not answer. */
  async close(): Promise<void> {
    if (this.#running === undefined) return;
    const patience = new AbortController();
    await Promise.race([
      this.#running,
      delay(CLOSE_PATIENCE_MS, undefined, { ref: false, signal: patience.signal }).catch(() => undefined),
    ]);
    patience.abort();
  }

  async #write(content: CheckpointContent): Promise<void> {
    const { store, place } = this.log;
    // Not of a version that a restored backup has taken back.
    if (!(await this.log.isCurrent())) return;
    const now = Date.now();
    await writeCheckpoint(store, place, content, now);
    if (now < this.#nextCleanUp) return;
    await cleanUpLog(store, place, content.metadata, now);
    this.#nextCleanUp = now + CLEAN_UP_PAUSE_MS;
  }
}

function checkpointInterval(configuration: Readonly<Record<string, string>>): number {
  const interval = Number(configuration['delta.checkpointInterval'] ?? DEFAULT_INTERVAL);
  return Number.isInteger(interval) && interval > 0 ? interval : DEFAULT_INTERVAL;
}
