/** Folders of partitions: `day=2026-01-31/city=K%C3%B6ln/`. They are for people; readers take the values from the log. */
import { createHash } from 'node:crypto';
import type { PartitionValues } from '../log/actions.js';

/** What Hive writes for null. */
const NULL_FOLDER = '__HIVE_DEFAULT_PARTITION__';

/** File systems stop at 255 bytes for a name; `%` makes three of one. */
const MAX_NAME_BYTES = 200;

/** Empty, or ends in `/`. */
export function partitionFolders(values: PartitionValues): string {
  return Object.entries(values)
    .map(
      ([column, value]) =>
        `${folderName(`${escaped(column)}=${value === null ? NULL_FOLDER : escaped(value)}`)}/`,
    )
    .join('');
}

/** Everything that a file system or a URL gives a meaning of its own. A folder must not begin with `_` or `.`: those are hidden. */
function escaped(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*~]/g, percent)
    .replace(/^[_.]/, percent)
    .replace(/\.$/, percent);
}

function percent(letter: string): string {
  return `%${letter.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

function folderName(name: string): string {
  if (name.length <= MAX_NAME_BYTES) return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 16);
  return `${name.slice(0, MAX_NAME_BYTES - 20)}-${digest}`;
}
