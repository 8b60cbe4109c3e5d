/** Where a file is read from: ranges of bytes of something that does not change. */
import { EosError } from '@eos/core';

export interface ByteSource {
  /** Size of the file in bytes. */
  readonly size: number;
  /** The bytes from `start` up to, not including, `end`. Several may be asked for at once. */
  readonly read: (start: number, end: number) => Promise<Uint8Array>;
}

export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Ranges with less between them are read as one: a request costs more than these bytes. */
const GAP = 64 * 1024;

/** @throws EOS_SOURCE_FORMAT where the range is not in the file, or the source gave fewer bytes */
export async function readRange(source: ByteSource, { start, end }: Range): Promise<Uint8Array> {
  if (!(start >= 0 && start <= end && end <= source.size)) {
    throw malformed(`it points to bytes ${start} to ${end} of ${source.size}`);
  }
  if (start === end) return new Uint8Array();
  const bytes = await source.read(start, end);
  if (bytes.length === end - start) return bytes;
  throw malformed(`${bytes.length} bytes were read of the ${end - start} from ${start} on`);
}

/** Reads ranges, neighbours together; the answers have the order of the ranges. */
export async function readRanges(
  source: ByteSource,
  ranges: readonly Range[],
): Promise<readonly Uint8Array[]> {
  const merged: { start: number; end: number }[] = [];
  for (const { start, end } of [...ranges].sort((left, right) => left.start - right.start)) {
    const last = merged.at(-1);
    if (last !== undefined && start - last.end <= GAP) last.end = Math.max(last.end, end);
    else merged.push({ start, end });
  }
  const read = await Promise.all(merged.map((range) => readRange(source, range)));
  return ranges.map(({ start, end }) => {
    const at = merged.findIndex((range) => range.start <= start && end <= range.end);
    const offset = merged[at]?.start ?? 0;
    return (read[at] ?? new Uint8Array()).subarray(start - offset, end - offset);
  });
}

/** A file that is no Parquet file, is damaged, or uses what this reader does not know. */
export function malformed(reason: string, cause?: unknown): EosError {
  return new EosError('EOS_SOURCE_FORMAT', `the Parquet file cannot be read: ${reason}`, { cause });
}
