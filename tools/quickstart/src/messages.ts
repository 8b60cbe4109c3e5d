/** What passes between the process that kills and the process that writes. */
import { TABLES, type CommitRows, type Table } from './tables.js';

/** What a writer is told, in its environment: a command line could be read by every user of the machine. */
export interface WriterTask {
  readonly connection: string;
  /** The folder that Parquet files are written to. */
  readonly folder: string;
  /** The JSON array of flights. */
  readonly flightsFile: string;
  /** The changelog of the routes, as newline-delimited JSON. */
  readonly changelogFile: string;
  readonly commitRows: CommitRows;
  /** The table during which the writer is to stop, where it is to stop at all. */
  readonly stopDuring: Table | undefined;
}

/** A writer tells where it is: behind a claim, and behind each acknowledged commit. */
export interface WriterNews {
  readonly news: 'claim' | 'commit';
  readonly table: Table;
  /** Where reading starts again; null before the first commit. */
  readonly offset: string | null;
  /** How many commits the table has had, where the destination counts them. */
  readonly epoch?: string;
}

export const TASK_VARIABLE = 'EOS_QUICKSTART_TASK';

/** For a writer: what it has to do. */
export function readTask(): WriterTask {
  const text = process.env[TASK_VARIABLE];
  if (text === undefined)
    throw new Error(`${TASK_VARIABLE} is not set: writers are started by the quickstart`);
  // Written by the parent, from a WriterTask.
  return JSON.parse(text) as WriterTask;
}

/** For a writer: tells the parent, and ends with it, since what it writes has no other reader. */
export function tellParent(news: WriterNews): void {
  process.send?.(news);
}

/** For a writer: it lives and dies as the parent wills, whatever keys are pressed in the terminal they share. */
export function obeyParent(): void {
  process.on('SIGINT', () => undefined);
  process.on('disconnect', endWithParent);
  // The parent may have died while this program was still being loaded.
  if (!process.connected) endWithParent();
}

/** For a writer that has come to its end. */
export function leaveParent(): void {
  process.off('disconnect', endWithParent);
  process.on('disconnect', () => process.exit(0));
  process.disconnect();
}

function endWithParent(): void {
  process.exit(1);
}

export function isNews(message: unknown): message is WriterNews {
  if (typeof message !== 'object' || message === null || !('news' in message) || !('table' in message))
    return false;
  return TABLES.some((table) => table === message.table);
}
