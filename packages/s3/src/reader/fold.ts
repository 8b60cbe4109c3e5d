/** The rows that a changelog leaves. Files are read twice: for their keys, then for the rows that are left. */
import { isRetraction, keyTextOf, rowSchema, type RowSchema } from '@eos/core';
import type { DataFile } from '../files/data-files.js';
import type { TablePlace } from '../log/index.js';
import { KeyBuckets, LiveChanges } from './key-buckets.js';
import { readFileRows, type FileRows } from './read-files.js';

export interface Changelog {
  readonly place: TablePlace;
  readonly schema: RowSchema;
  readonly key: readonly string[];
  /** In the order in which they were committed; called more than once. */
  readonly files: () => AsyncIterable<DataFile>;
}

/**
 * In the order of the last changes of their keys. Files of which no row is left are not read a second time.
 *
 * Memory: a bit for each change, and a 256th of the keys; temporary files hold the keys of more than a few hundred thousand changes.
 */
export async function* folded(changelog: Changelog): AsyncGenerator<readonly Record<string, unknown>[]> {
  const live = await liveChanges(changelog);
  let first = 0;
  for await (const file of changelog.files()) {
    if (live.hasAny(first, first + file.rows)) {
      let index = first;
      for await (const { rows } of readFileRows(file, changelog)) {
        const start = index;
        const left = rows.filter((_, at) => live.has(start + at));
        if (left.length > 0) yield left;
        index += rows.length;
      }
    }
    first += file.rows;
  }
}

async function liveChanges(changelog: Changelog): Promise<LiveChanges> {
  const { schema, key, files } = changelog;
  const keyColumns = Object.entries(schema.columns).filter(([name]) => key.includes(name));
  const keys = { ...changelog, schema: rowSchema(Object.fromEntries(keyColumns)) };
  const keyOf = keyTextOf(key, schema);
  const buckets = new KeyBuckets();
  let count = 0;
  const add = ({ rows, ops }: FileRows) => {
    for (let index = 0; index < rows.length; index += 1) {
      const row = rows[index];
      if (row !== undefined) buckets.add(keyOf(row), count + index, isRetraction(ops?.[index] ?? 0));
    }
    count += rows.length;
  };
  try {
    for await (const file of files()) for await (const rows of readFileRows(file, keys)) add(rows);
    const live = new LiveChanges(count);
    buckets.fold(live);
    return live;
  } finally {
    buckets.close();
  }
}
