/** Where processor time went, of what `node --cpu-prof` writes: by the part of the program that it was spent in. */

/** One that was sampled: each sample names the function that ran, and lasted up to the next one. Times in microseconds. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** The first that fits counts. `(idle)` and its like are what the profiler calls time outside of functions. */
const PARTS: readonly (readonly [part: string, fits: RegExp])[] = [
  ['waiting', /^\(idle\)/],
  ['garbage collection', /^\(garbage collector\)/],
  ['checksums of record batches', /kafka\/dist\/client\/wire\/crc32c/],
  [
    'reading record batches',
    /kafka\/dist\/client\/wire\/(batch-reader|reader|fetch)|kafka\/dist\/source\/chunk/,
  ],
  ['writing record batches', /kafka\/dist\/client\/(produce-queue|wire\/(batch-builder|produce|writer))/],
  ['choosing partitions', /kafka\/dist\/(encoding\/partitioner|sink\/router)/],
  ['from records to rows, and back', /kafka\/dist\/(encoding|source)\//],
  ['JSON and schema', /core\/dist\/(schema|json|exact-json|row|column)/],
  ['requests and connections', /kafka\/dist\/|\/kafkajs\/|@platformatic\//],
  ['the sink for PostgreSQL', /postgres\/dist\/|\/node_modules\/pg/],
  ['the runner', /core\/dist\//],
  ['Node: sockets, buffers, timers', /node:/],
];
const REST = 'all else';

/** Microseconds by part, the largest first; `waiting` is no processor time. */
export function timeByPart({ nodes, samples, timeDeltas }: CpuProfile): ReadonlyMap<string, number> {
  const partOf = new Map(
    nodes.map(({ id, callFrame: { functionName, url } }) => {
      const place = url === '' ? functionName : url;
      return [id, PARTS.find(([, fits]) => fits.test(place))?.[0] ?? REST];
    }),
  );
  const times = new Map<string, number>();
  for (const [index, id] of samples.entries()) {
    const part = partOf.get(id) ?? REST;
    // A delta is the time before its sample.
    times.set(part, (times.get(part) ?? 0) + (timeDeltas[index + 1] ?? 0));
  }
  return new Map([...times].sort(([, left], [, right]) => right - left));
}

export const WAITING = 'waiting';

/** @throws where it is no profile */
export function parseProfile(text: string): CpuProfile {
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed === 'object' && parsed !== null && 'nodes' in parsed && 'samples' in parsed)
    // The format of one version of V8, which wrote it a moment ago.
    return parsed as CpuProfile;
  throw new Error('not a profile of the processor');
}
