/**
 * Rows of keys that are likely to be new: straight into the target by COPY, which costs a third less than by way of the
 * staging table. The unique index decides: a key that is there fails the COPY, its savepoint takes back what went in, and the
 * rows take the other way. A key of the session's own transaction that is about to be committed is waited for by the server.
 */
import type { Link } from '../connection/connection.js';
import { queueCopy } from '../copy/copy-queue.js';
import { startCopy } from '../copy/copy-stream.js';
import { isServerError } from '../connection/error-map.js';
import { sendRows, type AddRow, type BadRowHandling, type RowRange } from '../copy/row-sender.js';
import { sentRows } from '../copy/sent-rows.js';
import { recycle, TextBuffer } from '../copy/text-buffer.js';

/** Encoded rows that are kept for the other way. Where there are more, those before must have gone in. */
const KEPT_BYTES = 8_388_608;

/** Unique or exclusion violation; or a table that takes INSERT and no COPY, such as one with row security. */
const REFUSALS: ReadonlySet<string> = new Set(['23505', '23P01', '0A000']);

export interface Direct<Row> {
  /** Adds rows. False: they, and those before them since the savepoint, are refused. */
  write(rows: RowRange<Row>): Promise<boolean>;
  /** Ends the rows and carries out `following`. False: those since the savepoint are refused. */
  end(following?: string): Promise<boolean>;
  /** The rows that were refused, as blocks of lines. */
  readonly refused: readonly Buffer[];
  /** Throws what an error means that comes of these lines on their other way, by COPY into `table`. */
  readonly explain: (error: unknown, table: string) => never;
  abandon(): Promise<void>;
}

export interface DirectOptions<Row> {
  /** What is sent first. */
  readonly opening: string;
  readonly statement: string;
  readonly table: string;
  readonly add: AddRow<unknown>;
  readonly after: Promise<void> | undefined;
  readonly bad: BadRowHandling<Row> | undefined;
}

/** Begins a transaction with `statement`, a COPY into `table`, when `after` is resolved. */
export function directRows<Row>(link: Link, options: DirectOptions<Row>): Direct<Row> {
  const { opening, statement, table, add, after, bad } = options;
  const buffer = new TextBuffer();
  let copy = queueCopy(link, `${opening}; SAVEPOINT eos; ${statement}`, after);
  let sent = sentRows();
  let kept: Buffer[] = [];
  let keptBytes = 0;
  let isRefused = false;

  const explain = (error: unknown, where: string): never => {
    throw sent.explain(error, where);
  };
  const judge = (error: unknown) => {
    isRefused = isServerError(error) && REFUSALS.has(error.code);
    if (!isRefused) explain(error, table);
  };
  const keep = (block: Buffer) => {
    kept.push(block);
    keptBytes += block.length;
  };
  const send = (block: Buffer) => {
    keep(block);
    return isRefused ? undefined : copy.send(block)?.catch(judge);
  };
  const end = async (following?: string) => {
    const rest = buffer.takeRest();
    if (rest !== undefined) keep(rest);
    if (!isRefused) await copy.finish(rest, following).catch(judge);
    if (isRefused) return false;
    kept.forEach(recycle);
    kept = [];
    keptBytes = 0;
    return true;
  };
  const proceed = async () => {
    if (!(await end('RELEASE eos; SAVEPOINT eos'))) return false;
    copy = startCopy(link, statement);
    sent = sentRows();
    return true;
  };

  return {
    async write(rows) {
      sent.add(rows);
      await sendRows(buffer, rows, add, send, bad);
      return keptBytes < KEPT_BYTES && !isRefused ? true : proceed();
    },
    end,
    get refused() {
      return kept;
    },
    explain,
    abandon: () => copy.abandon(),
  };
}
