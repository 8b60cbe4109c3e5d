/** The log of a table as one writer follows it: the state behind the last commit that is known, and commits by put-if-absent. */
import { EosError, messageOf } from '@eos/core';
import type { ObjectStore } from '@eos/object-store';
import type { Commit, CommitActions, Version } from './actions.js';
import { commitBody } from './action-text.js';
import { readHint } from './last-checkpoint.js';
import { listLog } from './listing.js';
import { parseCommit } from './parse-actions.js';
import { commitKey, type TablePlace } from './paths.js';
import { readBody, readTable } from './read-table.js';
import type { TableState } from './table-state.js';

/** By so many bytes of its beginning a commit is known again: it has a random number there, or names of files. */
const HEAD_BYTES = 1_024;

/** Commits that are taken one by one: behind more of them there is a checkpoint, and reading anew asks for many at once. */
const FAR_BEHIND = 200;

/** Behind what a commit's put must be believed: whether a state holds what the commit wrote. */
export type Holds = (state: TableState) => boolean;

/**
 * Follows one log. Calls must not overlap.
 *
 * Between commits it advances by the tail alone: each commit file is read once, and nothing is listed.
 */
export class DeltaLog {
  #head: Uint8Array | undefined;
  #lastHint: Version = -1;

  private constructor(
    readonly store: ObjectStore,
    readonly place: TablePlace,
    private current: TableState,
    lastBody: Uint8Array | undefined,
  ) {
    this.#head = headOf(lastBody);
  }

  /** Reads the log. A table that is not there has version -1. Throws as {@link readTable} does. */
  static async open(store: ObjectStore, place: TablePlace): Promise<DeltaLog> {
    const { state, lastBody } = await readTable(store, place);
    return new DeltaLog(store, place, state, lastBody);
  }

  get state(): TableState {
    return this.current;
  }

  /** The newest checkpoint that a hint has told of; -1 for none. */
  get hint(): Version {
    return this.#lastHint;
  }

  /** Reads the log anew, from its last checkpoint on. */
  async reload(): Promise<void> {
    const { state, lastBody } = await readTable(this.store, this.place);
    this.current = state;
    this.#head = headOf(lastBody);
  }

  /**
   * Whether the last commit that is known is still there, and the same. False where the log went back behind it (a restored backup), where
   * the table was made again, and where it was cleaned up beyond it: {@link DeltaLog.reload} then tells what is there.
   */
  async isCurrent(): Promise<boolean> {
    const version = this.current.version;
    if (version < 0) return (await readHint(this.store, this.place)) === undefined;
    const range = { start: 0, end: HEAD_BYTES };
    const found = await this.store.read(commitKey(this.place, version), range);
    return found !== undefined && this.#head !== undefined && Buffer.compare(found, this.#head) === 0;
  }

  /** Takes the commits that others have made since: one after the other, or, where those are many, from the newest checkpoint on. */
  async advance(): Promise<void> {
    for (let taken = 0; taken < FAR_BEHIND; taken++) {
      const version = this.current.version + 1;
      const body = await readBody(this.store, this.place, version);
      if (body === undefined) return;
      this.#take(parseCommit(version, body), body);
    }
    await this.reload();
  }

  /** To the newest version, from wherever this is: by the tail, or anew where the log is another one by now. */
  async refresh(): Promise<void> {
    if (await this.isCurrent()) await this.advance();
    else await this.reload();
  }

  /**
   * Puts a commit behind the last one that is known, and judges whether it is part of the table. False: somebody else was first, and
   * nothing was written; {@link DeltaLog.advance} tells who.
   *
   * Names in a log may become free again: by clean-up, by a restored backup, by a table that was dropped. So after its put a writer looks
   * whether the commit in front is the one that it knows, and whether a checkpoint was made beyond; then the state from that checkpoint must
   * hold what was written.
   * @throws EOS_UNKNOWN_OUTCOME where the answer was lost, or where that cannot be shown
   */
  async append(actions: CommitActions, holds: Holds): Promise<boolean> {
    const version = this.current.version + 1;
    const body = commitBody(actions);
    const condition = { ifAbsent: true } as const;
    const result = await this.store.put(commitKey(this.place, version), body, { condition });
    if (!result.stored) return false;
    if (await this.#isContinuous(version)) this.#take({ ...actions, version }, body);
    else await this.#reloadHolding(version, holds);
    return true;
  }

  async #isContinuous(version: Version): Promise<boolean> {
    try {
      const [isCurrent, hint] = await Promise.all([this.isCurrent(), readHint(this.store, this.place)]);
      this.#lastHint = hint ?? this.#lastHint;
      return isCurrent && (hint === undefined || hint < version);
    } catch (error) {
      throw unsettled(version, messageOf(error), error);
    }
  }

  async #reloadHolding(version: Version, holds: Holds): Promise<void> {
    try {
      await this.reload();
    } catch (error) {
      await this.#takeBack(version);
      throw unsettled(version, messageOf(error), error);
    }
    if (this.current.version < version || !holds(this.current))
      throw unsettled(version, 'the log has gone on without it');
  }

  /**
   * A log that went back between the look and the put (a restored backup) has a hole in front of the version that was put: no reader gets to it,
   * and a writer who fills the hole would run into it, and take it for a part of the table. Behind a clean-up, which leaves a hole
   * too, there is a checkpoint further on, and no reader passes by. Never throws.
   */
  async #takeBack(version: Version): Promise<void> {
    const { store, place } = this;
    try {
      if ((await store.head(commitKey(place, version - 1))) !== undefined) return;
      if ((await listLog(store, place, version)).checkpoints.length > 0) return;
      await store.delete([commitKey(place, version)]);
    } catch {
      // Whoever reads the log next is told of the hole.
    }
  }

  #take(commit: Commit, body: Uint8Array): void {
    this.current.apply(commit);
    this.#head = headOf(body);
  }
}

/** A copy: a slice would keep the whole body. */
function headOf(body: Uint8Array | undefined): Uint8Array | undefined {
  return body === undefined ? undefined : Uint8Array.from(body.subarray(0, HEAD_BYTES));
}

function unsettled(version: Version, why: string, cause?: unknown): EosError {
  const message = `version ${version} was put, and cannot be shown to be part of the table: ${why}`;
  return new EosError('EOS_UNKNOWN_OUTCOME', message, {
    outcome: 'unknown',
    retryable: true,
    details: { version },
    ...(cause === undefined ? {} : { cause }),
  });
}
