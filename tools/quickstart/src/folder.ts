/** Reads the folder of Parquet files back, with nothing of Eos: the log by the few lines below, the rows by DuckDB. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { StoredPosition, StoredTable } from './database.js';
import { flightsIn } from './duckdb.js';
import { namesIn } from './names-in.js';
import { PARQUET_PREFIX } from './tables.js';

/** How long a disk may take for what a writer has sent to it. */
const FILE_PATIENCE_MS = 5_000;

/** Of an entry, what is needed to say which files count. */
type LogEntry =
  | { readonly kind: 'table' }
  | { readonly kind: 'claim'; readonly owner: string }
  | {
      readonly kind: 'commit';
      readonly owner: string;
      readonly from: Readonly<Record<string, string | null>>;
      readonly positions: Readonly<Record<string, { readonly epoch: string; readonly offset: string }>>;
      readonly files: readonly { readonly path: string }[];
    };

/** What the log says. */
interface Replayed {
  readonly files: readonly string[];
  readonly position: StoredPosition | undefined;
  /** The entry of the last claim. */
  readonly claimedAt: number;
}

/** The rows of all files that count, and where the folder stands. */
export async function readFolder(folder: string): Promise<StoredTable> {
  const { files, position } = await replayLog(folder);
  const paths = files.map((path) => join(folder, PARQUET_PREFIX, path));
  return { rows: await flightsIn(paths), position };
}

/** Resolves with whether the last writer has left files that it has not committed; the disk may need a moment. */
export async function hasUncommittedFiles(folder: string, patienceMs = FILE_PATIENCE_MS): Promise<boolean> {
  const end = performance.now() + patienceMs;
  for (;;) {
    const { files, claimedAt } = await replayLog(folder);
    const names = await namesIn(join(folder, PARQUET_PREFIX));
    // A name begins with the entry that its writer had seen.
    const fresh = names.filter((name) => name.endsWith('.parquet') && Number.parseInt(name, 10) >= claimedAt);
    if (fresh.some((name) => !files.includes(name))) return true;
    if (performance.now() > end) return false;
    await delay(10);
  }
}

/** @throws where an entry is missing, or a commit is not one of the last who claimed, on top of the commit before */
async function replayLog(folder: string): Promise<Replayed> {
  const log = join(folder, PARQUET_PREFIX, '_eos', 'log');
  const names = (await namesIn(log)).sort();
  const files: string[] = [];
  let [owner, offset, epoch, claimedAt]: [string | undefined, string | null, bigint, number] = [
    undefined,
    null,
    0n,
    0,
  ];
  for (const [sequence, name] of names.entries()) {
    if (name !== `${String(sequence).padStart(20, '0')}.json`)
      throw new Error(`the log has no entry ${sequence}: ${name} follows`);
    // Written by the sink that is being checked: what does not fit shows as a wrong row, or throws.
    const entry = JSON.parse(await readFile(join(log, name), 'utf8')) as LogEntry;
    if (entry.kind === 'claim') [owner, claimedAt] = [entry.owner, sequence];
    if (entry.kind !== 'commit') continue;
    const [position] = Object.values(entry.positions);
    const [from] = Object.values(entry.from);
    if (
      entry.owner !== owner ||
      from !== offset ||
      position === undefined ||
      BigInt(position.epoch) !== epoch + 1n
    )
      throw new Error(`entry ${sequence} of the log is a commit that should have been refused`);
    [offset, epoch] = [position.offset, epoch + 1n];
    files.push(...entry.files.map(({ path }) => path));
  }
  const position = offset === null ? undefined : { offset: Number(offset), commits: Number(epoch) };
  return { files, position, claimedAt };
}
