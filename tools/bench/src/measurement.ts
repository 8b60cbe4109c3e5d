/** What a case yields: one of these is one line of the report. */

/** What a measurement is held against. */
export interface Target {
  readonly of: 'ratio' | 'ours';
  readonly is: 'at least' | 'at most';
  readonly value: number;
}

export interface Measurement {
  /** Such as `postgres/append/commit=5000/vs-copy`. */
  readonly name: string;
  /** Median of our runs, in `unit`. */
  readonly ours: number;
  /** Median of the baseline's runs; null where nothing else does the same. */
  readonly baseline: number | null;
  /** ours / baseline. Of a rate more is better, of a time or a count less. */
  readonly ratio: number | null;
  /** Such as `rows/s`, `ms`. */
  readonly unit: string;
  /** Measured runs of each side. */
  readonly runs: number;
  readonly target?: Target;
  /** Whether the target was met; absent without a target. */
  readonly met?: boolean;
  /** What else was seen, by name: spreads, processor seconds, sample counts. */
  readonly details: Readonly<Record<string, number | string | readonly number[]>>;
}

export interface MeasurementParts {
  readonly name: string;
  readonly ours: number;
  readonly baseline?: number;
  readonly unit: string;
  readonly runs: number;
  readonly target?: Target;
  readonly details?: Measurement['details'];
}

/** Puts a measurement together: the ratio, and whether the target was met. */
export function measurement(parts: MeasurementParts): Measurement {
  const { name, ours, baseline, unit, runs, target, details = {} } = parts;
  const ratio = baseline === undefined ? null : ours / baseline;
  const line = { name, ours, baseline: baseline ?? null, ratio, unit, runs, details };
  if (target === undefined) return line;
  return { ...line, target, met: meets(target, target.of === 'ratio' ? ratio : ours) };
}

function meets({ is, value }: Target, measured: number | null): boolean {
  if (measured === null) return false;
  return is === 'at least' ? measured >= value : measured <= value;
}

export function ratioAtLeast(value: number): Target {
  return { of: 'ratio', is: 'at least', value };
}

export function ratioAtMost(value: number): Target {
  return { of: 'ratio', is: 'at most', value };
}

export function oursAtMost(value: number): Target {
  return { of: 'ours', is: 'at most', value };
}
