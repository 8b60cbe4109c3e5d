/**
 * Retract: a table without a key is a multiset. What comes is copied straight into it; what goes is kept in this process, where it
 * cancels with what comes, and taken out of the table at `prepare`, when all that came is in and the last commit is acknowledged.
 */
import { EosError, isEosError, isRetraction, type ChangeBatch } from '@eos/core';
import { BEGIN } from './commit.js';
import type { Link } from './connection.js';
import { queueCopy } from './copy-queue.js';
import type { CopyIn } from './copy-stream.js';
import { lineMaker, rowAdder } from './copy-text.js';
import { quoteAll } from './identifiers.js';
import { missingRows } from './missing-rows.js';
import type { MissingRow } from './options.js';
import {
  planRetract,
  readShort,
  RETRACTIONS,
  type RetractStatements,
  type Search,
} from './retract-statements.js';
import { places, retractions, type Places, type Retraction, type Retractions } from './retractions.js';
import { sendRows, type AddRow, type RowRange } from './row-sender.js';
import { placedIn, sentRows } from './sent-rows.js';
import { CHECK } from './staging.js';
import type { Table } from './table.js';
import { TextBuffer } from './text-buffer.js';
import type { ColumnEncoder } from './value-text.js';
import type { Opening, Writer, Writers } from './writer.js';

/** What is the same for all transactions of a session. */
interface RetractPlan {
  readonly table: Table;
  readonly statements: RetractStatements;
  /** A COPY of rows that come into the target. */
  readonly insert: string;
  readonly add: AddRow<unknown>;
  readonly lineOf: (row: unknown) => string;
  readonly missingRow: MissingRow;
}

export function retractWriters<Row>(
  table: Table,
  columns: readonly ColumnEncoder[],
  search: Search,
  missingRow: MissingRow,
): Writers<Row> {
  const names = columns.map(({ name }) => name);
  const plan: RetractPlan = {
    table,
    statements: planRetract(table, names, search),
    insert: `COPY ${table.sql} (${quoteAll(names)}) FROM STDIN`,
    add: rowAdder(columns),
    lineOf: lineMaker(columns),
    missingRow,
  };
  return {
    async prepare(link) {
      await link.run(plan.statements.create);
      // Of nothing: so that what the server has to say against the statement is said before the first row.
      await link.run(`${BEGIN}; ${plan.statements.remove(1)}; ROLLBACK`);
    },
    begin: (link, after, opening) =>
      retractWriter<Row>(link, plan, table.insertLocks > 0 ? after : undefined, opening),
    again: plan.statements.again,
  };
}

/** @param after what rows that come have to wait for */
function retractWriter<Row>(
  link: Link,
  plan: RetractPlan,
  after: Promise<void> | undefined,
  { statements: opening = BEGIN }: Opening<Row> = {},
): Writer<Row> {
  const { statements, table, lineOf } = plan;
  const going = retractions();
  const partitions = places();
  const missing = missingRows(plan.missingRow, table.sql, partitions);
  const inserts = insertsInto<Row>(plan);
  let begin = `${opening}; `;
  let open: CopyIn | undefined;
  let hasStaged = false;
  let isAbandoned = false;

  /** One COPY at a time is open on a connection. */
  const start = (statement: string, waitsFor?: Promise<void>): CopyIn => {
    // A rollback that came meanwhile must find no COPY opened behind it.
    if (isAbandoned) throw new EosError('EOS_ABORTED', 'the transaction was rolled back');
    open = queueCopy(link, begin + statement, waitsFor);
    begin = '';
    return open;
  };
  const startInserts = () => start(plan.insert, after);
  const stage = async () => {
    await inserts.end();
    await sendRetractions(start(statements.stage), going.take(), partitions);
    hasStaged = true;
  };
  const remove = async () => {
    for (let attempt = 1; ; attempt += 1) {
      const short = readShort(await link.run(statements.remove(attempt)));
      if (short.length === 0) return;
      // What a second look does not find either is not there.
      if (attempt > 1 && short[0]?.found === 0) {
        missing.judge(short);
        return;
      }
      if (attempt === ATTEMPTS) throw changedMeanwhile(table);
    }
  };

  return {
    async write(batch) {
      const isPlain = going.isEmpty && hasInsertsOnly(batch);
      if (isPlain) await inserts.write(startInserts, { batch, places: undefined }, plan.add);
      else {
        const { rows, lines } = cancelled(batch, lineOf, going, partitions);
        const add: AddRow<Row> = (buffer, _row, index) => buffer.add(lines[index] ?? '');
        if (rows.places?.length !== 0) await inserts.write(startInserts, rows, add);
      }
      if (going.isFull) await stage();
    },
    async prepare() {
      if (going.isEmpty && !hasStaged) {
        // Where everything has cancelled, there was no reason yet to begin.
        if (!(await inserts.end(CHECK))) await link.run(opening);
        return;
      }
      if (!going.isEmpty) await stage();
      else await inserts.end();
      await remove();
    },
    async abandon() {
      isAbandoned = true;
      await open?.abandon();
    },
  };
}

/** How often rows that other transactions keep changing are looked for before the transaction is tried again. */
const ATTEMPTS = 10;

function changedMeanwhile({ sql }: Table): EosError {
  const message = `rows of ${sql} that have to go are there and could not be deleted: other transactions change them, or a trigger keeps them`;
  return new EosError('EOS_UNAVAILABLE', message, { retryable: true });
}

/** The COPY into the target: kept open over all batches, until something else has to be said. */
function insertsInto<Row>({ table }: RetractPlan) {
  const buffer = new TextBuffer();
  let copy: CopyIn | undefined;
  let sent = sentRows();
  const explain = (error: unknown): never => {
    throw sent.explain(error, table.name);
  };
  return {
    async write(start: () => CopyIn, rows: RowRange<Row>, add: AddRow<Row>): Promise<void> {
      const current = (copy ??= start());
      sent.add(rows);
      await sendRows(buffer, rows, add, (block) => current.send(block)?.catch(explain));
    },
    /** Ends it, with the statement `following`. False: there was none. */
    async end(following?: string): Promise<boolean> {
      if (copy === undefined) return false;
      await copy.finish(buffer.takeRest(), following).catch(explain);
      copy = undefined;
      sent = sentRows();
      return true;
    },
  };
}

/** A batch after what comes and what goes in it, and what was to go before it, have cancelled: the lines of the rows that come. */
function cancelled<Row>(
  batch: ChangeBatch<Row>,
  lineOf: (row: Row) => string,
  going: Retractions,
  partitions: Places,
): { readonly rows: RowRange<Row>; readonly lines: readonly string[] } {
  const { rows, ops, offsets, partition } = batch;
  const place = partitions.numberOf(partition);
  const lines = new Array<string>(rows.length).fill('');
  const isGoing = (index: number) => isRetraction(ops?.[index] ?? 0);
  const line = (index: number) => {
    try {
      // The index lies within the batch.
      return lineOf(rows[index] as Row);
    } catch (error) {
      throw isEosError(error) ? placedIn(error, batch, index) : error;
    }
  };
  for (let index = 0; index < rows.length; index += 1) {
    if (isGoing(index)) going.add(line(index), place, offsets?.[index]);
  }
  let count = 0;
  const coming = new Uint32Array(rows.length);
  for (let index = 0; index < rows.length; index += 1) {
    if (isGoing(index)) continue;
    const text = line(index);
    if (going.cancel(text)) continue;
    lines[index] = text;
    coming[count] = index;
    count += 1;
  }
  return { rows: { batch, places: coming.subarray(0, count) }, lines };
}

async function sendRetractions(
  copy: CopyIn,
  going: readonly Retraction[],
  partitions: Places,
): Promise<void> {
  const buffer = new TextBuffer();
  const explain = (error: unknown): never => {
    throw explained(error, going, partitions);
  };
  for (const { line, copies, place, offset } of going) {
    buffer.add(line);
    buffer.add(`\t${copies}\t${place}\t${offset ?? '\\N'}\n`);
    if (buffer.isFull) await copy.send(buffer.take())?.catch(explain);
  }
  await copy.finish(buffer.takeRest()).catch(explain);
}

/** The error of their COPY, with the row that the server means. */
function explained(error: unknown, going: readonly Retraction[], partitions: Places): EosError {
  const sent = sentRows();
  for (const { place, offset } of going) {
    const offsets = offset === undefined ? {} : { offsets: BigInt64Array.of(offset) };
    sent.add({
      batch: { partition: partitions.partitionOf(place) ?? '', rows: [undefined], ...offsets },
      places: undefined,
    });
  }
  return sent.explain(error, RETRACTIONS);
}

function hasInsertsOnly<Row>({ ops }: ChangeBatch<Row>): boolean {
  return ops?.every((op) => !isRetraction(op)) ?? true;
}
