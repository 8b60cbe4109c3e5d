/** Which files are merged with which: those of one partition, in the order of the log, up to the size of a file. */
import type { AddFile } from '../log/actions.js';

/** A file of at least this part of the wanted size stays as it is. */
const LARGE = 0.5;

/** Files that one or more new ones will stand for. */
export type CompactionGroup = readonly AddFile[];

/**
 * @param targetBytes the wanted size of a file
 * @param isSorted whether large files are written again too
 */
export function compactionGroups(
  files: Iterable<AddFile>,
  targetBytes: number,
  isSorted: boolean,
): readonly CompactionGroup[] {
  const groups: AddFile[][] = [];
  const open = new Map<string, { files: AddFile[]; bytes: number }>();
  for (const file of files) {
    const isLarge = file.size >= LARGE * targetBytes && file.deletionVector === undefined;
    if (isLarge && !isSorted) continue;
    const partition = JSON.stringify(Object.entries(file.partitionValues).sort());
    const group = open.get(partition);
    if (group !== undefined && group.bytes + file.size <= targetBytes) {
      group.files.push(file);
      group.bytes += file.size;
      continue;
    }
    const next = { files: [file], bytes: file.size };
    open.set(partition, next);
    groups.push(next.files);
  }
  return groups.filter((group) => isSorted || group.length > 1 || group[0]?.deletionVector !== undefined);
}
