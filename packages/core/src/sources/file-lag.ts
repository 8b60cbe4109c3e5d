/** How much of the files is still to be read. */
import { stat } from 'node:fs/promises';
import type { SourceLag } from '../abilities.js';
import type { PartitionId } from '../identifiers.js';
import type { Position, Positions } from '../positions.js';
import { unavailable } from './file-input.js';
import type { FilePlace } from './file-identity.js';

/**
 * From sizes alone, so that it costs a look at each file: what was added behind an offset counts, whether it holds records or not.
 * @param isGzip whether offsets count in the text that a file unpacks to, whose length its size does not tell
 */
export async function fileLag(
  files: readonly FilePlace[],
  positions: Positions,
  isGzip: (file: FilePlace) => boolean,
): Promise<ReadonlyMap<PartitionId, SourceLag>> {
  const found = new Map<PartitionId, SourceLag>();
  for (const file of files) {
    const size = await sizeOf(file);
    found.set(file.partition, lagOf(positions.get(file.partition), size, isGzip(file)));
  }
  return found;
}

function lagOf(position: Position | undefined, size: bigint, isGzip: boolean): SourceLag {
  const total = isGzip ? undefined : size;
  if (isFinished(position, size)) return { unit: 'bytes', behind: 0n, total };
  if (isGzip) return { unit: 'bytes', behind: undefined, total };
  const behind = size - (position?.offset ?? 0n);
  return { unit: 'bytes', behind: behind < 0n ? 0n : behind, total };
}

/** A commit that saw the end of the text says so, with the size of the file on disk. */
function isFinished(position: Position | undefined, size: bigint): boolean {
  const identity = position?.source;
  return identity?.['end'] === true && identity['size'] === size.toString();
}

async function sizeOf(file: FilePlace): Promise<bigint> {
  try {
    return (await stat(file.path, { bigint: true })).size;
  } catch (error) {
    throw unavailable(file, error);
  }
}
