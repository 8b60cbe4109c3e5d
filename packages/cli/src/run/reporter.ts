/** How a run shows: as lines of JSON, as a bar, or not at all. */
import type { Guarantee } from '@eos/core';
import type { RunEvent } from './events.js';

export interface RunStart {
  readonly pipeline: string;
  readonly sinks: readonly string[];
  readonly source: string;
  readonly guarantee: Guarantee;
}

export interface RunEnd {
  readonly reason: 'end' | 'stopped' | 'fenced' | 'failed';
  readonly exitCode: number;
  readonly rows: number;
  readonly written: number;
  /** Rows that the sink set aside. */
  readonly rejected: number;
  readonly commits: number;
  readonly recoveries: number;
  readonly seconds: number;
  /** Why the run failed, or why what was written last may not be committed. */
  readonly error?: { readonly code: string; readonly message: string; readonly outcome?: string };
}

export interface Reporter {
  start(start: RunStart): void;
  event(event: RunEvent): void;
  /** A signal asked for a stop. */
  stop(signal: string): void;
  end(end: RunEnd): void;
}

/** Shows errors only, which the caller prints. */
export const quietReporter: Reporter = {
  start: () => undefined,
  event: () => undefined,
  stop: () => undefined,
  end: () => undefined,
};
