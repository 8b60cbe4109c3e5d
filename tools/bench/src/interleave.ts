/**
 * Measures several ways of doing the same in turn, so that whatever else the machine does in these minutes falls on all of them:
 * one run each to warm up, then rounds in which another side goes first each time.
 */

/** One way of doing the work. */
export interface Side<Result> {
  readonly name: string;
  /** Makes everything fresh, does the work once, and says what was measured. */
  run(): Promise<Result>;
}

export interface InterleaveOptions<Result> {
  readonly runs: number;
  /** Whether each side runs once before it counts. Default true. */
  readonly warmUp?: boolean;
  /** Called after each run that counts, for a sign of life. */
  readonly onRun?: (side: string, run: number, result: Result) => void;
}

/** The results of each side, in the order in which its runs were made; the warm-up is left out. */
export async function interleave<Result>(
  sides: readonly Side<Result>[],
  { runs, warmUp = true, onRun }: InterleaveOptions<Result>,
): Promise<ReadonlyMap<string, readonly Result[]>> {
  const results = new Map<string, Result[]>(sides.map(({ name }) => [name, []]));
  if (results.size < sides.length) throw new TypeError('two sides have the same name');
  if (warmUp) for (const side of sides) await side.run();
  for (let run = 0; run < runs; run++) {
    for (const side of rotated(sides, run)) {
      const result = await side.run();
      results.get(side.name)?.push(result);
      onRun?.(side.name, run + 1, result);
    }
  }
  return results;
}

function rotated<T>(list: readonly T[], by: number): T[] {
  const start = by % list.length;
  return [...list.slice(start), ...list.slice(0, start)];
}
