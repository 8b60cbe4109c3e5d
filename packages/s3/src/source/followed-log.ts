/** The commits of one pipeline, one after the other, as the log gets them. */
import { setTimeout as delay } from 'node:timers/promises';
import { EosError } from '@eos/core';
import type { CommitEntry } from '../log/entry.js';
import { readLog, readState, type ReadEntry, type TablePlace } from '../log/index.js';
import { readTail } from '../log/read.js';
import { applyEntry, scopeOf, type LogState } from '../log/state.js';

export interface FollowOptions {
  /** Whose commits: pipeline and sink. */
  readonly scope: string;
  /** How long to wait before the next look behind the end; undefined: it ends there. */
  readonly pollMs: number | undefined;
  readonly signal: AbortSignal;
}

/** A commit that took effect. */
export interface FollowedCommit {
  readonly seq: bigint;
  readonly entry: CommitEntry;
  /** What the log says behind it: the same object each time, which goes on with the next one. */
  readonly state: LogState;
}

/**
 * The commits from entry `from` on. Every entry is judged as its writer's own replay judges it, so that a void one is passed over by
 * everybody. Memory: that of `readLog`.
 * @throws EOS_SOURCE_CHANGED where the log ends before `from`; EOS_ABORTED, EOS_FORMAT, EOS_UNAVAILABLE
 */
export async function* followCommits(
  place: TablePlace,
  from: bigint,
  { scope, pollMs, signal }: FollowOptions,
): AsyncGenerator<FollowedCommit> {
  const state = await readState(place, from - 1n);
  if (state.seq !== from - 1n)
    throw new EosError(
      'EOS_SOURCE_CHANGED',
      `the log ends at entry ${state.seq}, and was read up to ${from - 1n} before: entries are gone (a restored backup?)`,
      { details: { seq: state.seq } },
    );
  for await (const { seq, entry } of entriesFrom(place, from, pollMs, signal)) {
    const hasEffect = applyEntry(state, entry);
    if (hasEffect && entry.kind === 'commit' && scopeOf(entry) === scope) yield { seq, entry, state };
  }
}

/** Those that are there in large pieces, and those that come one by one. */
async function* entriesFrom(
  place: TablePlace,
  from: bigint,
  pollMs: number | undefined,
  signal: AbortSignal,
): AsyncGenerator<ReadEntry> {
  const { seq: end } = await readState(place);
  yield* readLog(place, { from, to: end });
  let last = end > from - 1n ? end : from - 1n;
  for (;;) {
    for await (const found of readTail(place, last)) {
      yield found;
      last = found.seq;
    }
    if (pollMs === undefined) return;
    await delay(pollMs, undefined, { signal });
  }
}
