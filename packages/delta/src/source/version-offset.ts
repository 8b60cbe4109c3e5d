/** Offsets of changes in a table: the version, and the number of the change within it, in one number that ascends. */

/** A version has fewer changes than this, and a table half as many versions. */
const CHANGES_OF_VERSION = 2n ** 32n;

/** A change: the `index`-th, from 0, of a version. */
export interface VersionPlace {
  readonly version: number;
  readonly index: number;
}

/** The offset of a change; of change 0 also that of its version. */
export function versionOffset({ version, index }: VersionPlace): bigint {
  return BigInt(version) * CHANGES_OF_VERSION + BigInt(index);
}

/** The change that {@link versionOffset} stands for. */
export function versionPlace(offset: bigint): VersionPlace {
  return { version: Number(offset / CHANGES_OF_VERSION), index: Number(offset % CHANGES_OF_VERSION) };
}

/** The offsets of `count` changes from `first` on. */
export function changeOffsets(first: VersionPlace, count: number): BigInt64Array {
  const base = versionOffset(first);
  return BigInt64Array.from({ length: count }, (_, at) => base + BigInt(at));
}
