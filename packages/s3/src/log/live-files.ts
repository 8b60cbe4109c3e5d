/** The files that make up a table: those of the newest base, then those of the commits above it, in their order. */
import type { DataFile } from '../files/data-files.js';
import { readManifest } from './manifest.js';
import { readLog, type TablePlace } from './read.js';
import type { LogState } from './state.js';

export interface LiveFile extends DataFile {
  /** The commit that wrote it; of a file of the base, the last entry that the base holds. */
  readonly seq: bigint;
}

/**
 * The live files behind the entry that `state` stands at, in the order in which their rows are folded. Memory: a few windows of the log,
 * or one manifest at a time, whatever the size of the table.
 * @throws EOS_FORMAT
 */
export async function* liveFiles(place: TablePlace, state: LogState): AsyncGenerator<LiveFile> {
  const { base, voids, seq } = state;
  for (const manifest of base?.manifests ?? []) yield* readManifest(place, manifest, base?.upTo ?? 0n);
  const from = base === null ? 0n : base.upTo + 1n;
  for await (const { seq: at, entry } of readLog(place, { from, to: seq })) {
    if (entry.kind !== 'commit' || voids.has(at)) continue;
    for (const file of entry.files) yield { ...file, seq: at };
  }
}
