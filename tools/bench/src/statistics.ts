/** The few statistics that the reports need. Each takes its numbers in any order and leaves them as they are. */

/**
 * The value in the middle; of an even count the mean of the two.
 * @throws RangeError for no values
 */
export function median(values: readonly number[]): number {
  const sorted = ascending(values);
  const middle = sorted.length >> 1;
  const upper = at(sorted, middle);
  return sorted.length % 2 === 1 ? upper : (at(sorted, middle - 1) + upper) / 2;
}

/**
 * The smallest value that at least `share` (0 to 1) of all values do not exceed (nearest rank): always one that was measured.
 * @throws RangeError for no values
 */
export function percentile(values: readonly number[], share: number): number {
  const sorted = ascending(values);
  const rank = Math.ceil(share * sorted.length);
  return at(sorted, Math.min(Math.max(rank, 1), sorted.length) - 1);
}

/** The smallest and the largest value. */
export function extent(values: readonly number[]): readonly [least: number, most: number] {
  const sorted = ascending(values);
  return [at(sorted, 0), at(sorted, sorted.length - 1)];
}

/** A point of a curve. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The slope of the straight line that fits best (least squares); 0 where all x are the same. */
export function slope(points: readonly Point[]): number {
  const meanX = mean(points.map(({ x }) => x));
  const meanY = mean(points.map(({ y }) => y));
  let covariance = 0;
  let variance = 0;
  for (const { x, y } of points) {
    covariance += (x - meanX) * (y - meanY);
    variance += (x - meanX) ** 2;
  }
  return variance === 0 ? 0 : covariance / variance;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function ascending(values: readonly number[]): number[] {
  if (values.length === 0) throw new RangeError('no values were measured');
  return [...values].sort((a, b) => a - b);
}

function at(values: readonly number[], index: number): number {
  const value = values[index];
  if (value === undefined) throw new RangeError(`no value ${index} of ${values.length}`);
  return value;
}
