/** What a writer is told, and what it tells. */
import type { ChangelogMode } from '@eos/core';

export const MODES = ['append', 'upsert', 'retract'] as const satisfies readonly ChangelogMode[];
export type Mode = (typeof MODES)[number];

/** Two kinds of writers at once: one is killed, copied and frozen, the other meets faults of the network and the server only. */
export const GROUPS = ['hunted', 'steady'] as const;
export type Group = (typeof GROUPS)[number];

export interface Task {
  readonly group: Group;
  readonly url: string;
  /** When the first change happened, in milliseconds since 1970: those after it become readable one by one. */
  readonly startedAt: number;
  /** Changes a second of each mode. */
  readonly rate: number;
}

export const TASK_VARIABLE = 'EOS_SOAK_TASK';

/** The code that a writer ends with when another copy took over. */
export const FENCED_EXIT = 3;

/** What a writer says twice a second. */
export interface News {
  readonly rssBytes: number;
  readonly commits: number;
  /** Lost answers that were settled. */
  readonly settled: number;
  /** Failures after which it tried again. */
  readonly retries: number;
}

export function isNews(message: unknown): message is News {
  return typeof message === 'object' && message !== null && 'rssBytes' in message;
}

/** Pipeline and table of a group and mode. */
export function nameOf(group: Group, mode: Mode): string {
  return `${group}_${mode}`;
}
