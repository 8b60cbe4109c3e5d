/** What the log says of its commits, newest first. */
import type { ObjectStore } from '@eos/object-store';
import type { CommitInfo, Version } from '../log/actions.js';
import { isFields } from '../log/fields.js';
import { parseCommit } from '../log/parse-actions.js';
import type { TablePlace } from '../log/paths.js';
import { readBody } from '../log/read-table.js';
import { inCommitTimestamp } from './versions.js';

export interface HistoryEntry {
  readonly version: Version;
  /** By the clock of the writer, where it says so. */
  readonly timestamp: Date | undefined;
  /** Such as `WRITE`, `MERGE`, `OPTIMIZE`. */
  readonly operation: string | undefined;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Who wrote it: `Eos/0.1.0`, `Apache-Spark/…`. */
  readonly engine: string | undefined;
  readonly filesAdded: number;
  readonly filesRemoved: number;
  /** Versions of applications that it set, such as the parts of a position. */
  readonly transactions: ReadonlyMap<string, bigint>;
}

/** From `newest` down, as far as the log reaches. */
export async function* readHistory(
  store: ObjectStore,
  place: TablePlace,
  newest: Version,
): AsyncGenerator<HistoryEntry> {
  for (let version = newest; version >= 0; version--) {
    const body = await readBody(store, place, version);
    if (body === undefined) return;
    const { info, adds, removes, transactions } = parseCommit(version, body);
    yield {
      version,
      timestamp: timeOf(info),
      operation: textOf(info, 'operation'),
      parameters: isFields(info?.['operationParameters']) ? info['operationParameters'] : {},
      engine: textOf(info, 'engineInfo'),
      filesAdded: adds.length,
      filesRemoved: removes.length,
      transactions: new Map(transactions.map(({ appId, version: number }) => [appId, number])),
    };
  }
}

function timeOf(info: CommitInfo | undefined): Date | undefined {
  const time = inCommitTimestamp(info) ?? info?.['timestamp'];
  return typeof time === 'number' ? new Date(time) : undefined;
}

function textOf(info: CommitInfo | undefined, name: string): string | undefined {
  const value = info?.[name];
  return typeof value === 'string' ? value : undefined;
}
