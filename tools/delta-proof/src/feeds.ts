/** Change data feeds: all changes of a table, applied to nothing, are its rows. */
import { Op } from '@eos/core';
import { DeltaTable } from '@eos/delta';
import type { Python } from '@eos/services';
import { shownRow } from './eos-reader.js';
import { FEED_WITH_DELTA_RS, FEED_WITH_SPARK } from './python-scripts.js';
import { differenceOf, inOrder, type ShownRow } from './shown-rows.js';
import type { ExpectedTable } from './tables.js';

/** What reads a feed, by its name. */
export type FeedReaders = Readonly<Record<string, (path: string) => Promise<readonly ShownRow[]>>>;

const LIMIT_MS = 600_000;

export function feedReaders(python: Python, spark: Python | undefined, jars: readonly string[]): FeedReaders {
  const timeoutMilliseconds = LIMIT_MS;
  // What the scripts return.
  const rows = (found: unknown) => found as readonly ShownRow[];
  return {
    Eos: feedWithEos,
    'delta-rs': async (path) =>
      rows(await python.run(FEED_WITH_DELTA_RS, { input: path, timeoutMilliseconds })),
    ...(spark === undefined
      ? {}
      : {
          Spark: async (path: string) =>
            rows(await spark.run(FEED_WITH_SPARK, { input: { jars, path }, timeoutMilliseconds })),
        }),
  };
}

/** @returns what is wrong, by the name of the check; undefined for nothing */
export async function proveFeed(
  { name, path, rows }: ExpectedTable,
  readers: FeedReaders,
): Promise<ReadonlyMap<string, string | undefined>> {
  const found = new Map<string, string | undefined>();
  for (const [reader, read] of Object.entries(readers)) {
    const failure = await read(path).then(
      (folded) => differenceOf(rows, inOrder([...folded])),
      (error: unknown) => String(error).slice(-2_000),
    );
    found.set(`${name}, its change feed folded by ${reader}`, failure);
  }
  return found;
}

async function feedWithEos(path: string): Promise<readonly ShownRow[]> {
  const table = await DeltaTable.open({ folder: path });
  try {
    const counts = new Map<string, number>();
    for await (const { rows, ops } of table.changes({ from: 1 })) {
      rows.forEach((row, index) => {
        const text = JSON.stringify(shownRow(table.fields, row));
        const isThere = ops[index] === Op.insert || ops[index] === Op.updateAfter;
        counts.set(text, (counts.get(text) ?? 0) + (isThere ? 1 : -1));
      });
    }
    // A count below zero, or above one, shows as a row that differs.
    return [...counts].flatMap(([text, count]) =>
      Array.from({ length: Math.abs(count) }, () => JSON.parse(text) as ShownRow),
    );
  } finally {
    await table.close();
  }
}
