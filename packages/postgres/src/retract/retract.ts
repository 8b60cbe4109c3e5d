/**
 * Retract: a table without a key is a multiset. What comes is copied straight into it; what goes is kept in this process, where it
 * cancels with what comes, and taken out of the table at `prepare`, when all that came is in and the last commit is acknowledged.
 */
import { EosError, type ChangeBatch } from '@eos/core';
import { cancelled, hasInsertsOnly } from './cancelled-batch.js';
import { BEGIN } from '../law/begin.js';
import type { Answer, Link } from '../connection/connection.js';
import { startCopy, type CopiesIn } from '../copy/copy-stream.js';
import { lineMaker, rowAdder } from '../copy/copy-text.js';
import { isServerError } from '../connection/error-map.js';
import { quoteAll } from '../connection/identifiers.js';
import { missingRows } from './missing-rows.js';
import type { MissingRow } from '../options.js';
import {
  planRetract,
  readShort,
  RETRACTIONS,
  type RetractStatements,
  type Search,
} from './retract-statements.js';
import { places, retractions, type Places, type Retraction } from './retractions.js';
import { sendRows, type AddRow, type RowRange } from '../copy/row-sender.js';
import { sentRows } from '../copy/sent-rows.js';
import { CHECK } from '../modes/staging.js';
import type { Table } from '../table/table.js';
import { TextBuffer } from '../copy/text-buffer.js';
import type { ColumnEncoder } from '../copy/value-text.js';
import type { Opening, Writer, Writers } from '../modes/writer.js';

/** What is the same for all transactions of a session. */
interface RetractPlan {
  readonly table: Table;
  readonly statements: RetractStatements;
  /** One COPY of rows that come into the target, and one of rows that go: either may stay empty. */
  readonly copies: string;
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
  const statements = planRetract(table, names, search);
  const plan: RetractPlan = {
    table,
    statements,
    copies: `COPY ${table.sql} (${quoteAll(names)}) FROM STDIN; ${statements.stage}`,
    add: rowAdder(columns),
    lineOf: lineMaker(columns),
    missingRow,
  };
  return {
    async prepare(link) {
      await link.run(statements.create);
      // Of nothing: so that what the server has to say against the statement is said before the first row.
      await link.run(`${BEGIN}; ${statements.remove(1)}; ROLLBACK`);
    },
    begin: (link, after, opening) =>
      retractWriter<Row>(link, plan, table.insertLocks > 0 ? after : undefined, opening),
    again: statements.again,
  };
}

/** @param after what rows that come have to wait for */
function retractWriter<Row>(
  link: Link,
  plan: RetractPlan,
  after: Promise<void> | undefined,
  { statements: opening = BEGIN }: Opening<Row> = {},
): Writer<Row> {
  const { statements, table } = plan;
  const going = retractions();
  const partitions = places();
  const missing = missingRows(plan.missingRow, table.sql, partitions);
  const copies = copiesOf<Row>(link, plan, after, { opening, partitions });
  let hasStaged = false;

  const remove = async (first: readonly Answer[]) => {
    let short = readShort(first);
    for (let attempt = 2; short.length > 0; attempt += 1) {
      if (attempt > ATTEMPTS) throw changedMeanwhile(table);
      short = readShort(await link.run(statements.remove(attempt)));
      // What a second look does not find either is not there.
      if (short[0]?.found === 0) {
        missing.judge(short);
        return;
      }
    }
  };

  return {
    async write(batch) {
      // Before a row can be found bad: the transaction is begun with it.
      await copies.begin();
      const isPlain = going.isEmpty && hasInsertsOnly(batch);
      const { rows, add } = isPlain ? all(batch, plan.add) : cancelled(batch, plan.lineOf, going, partitions);
      await copies.write(rows, add);
      if (!going.isFull) return;
      await copies.end(going.take());
      hasStaged = true;
    },
    async prepare() {
      if (!going.isEmpty || hasStaged) await remove(await copies.end(going.take(), statements.remove(1)));
      else await copies.end([], CHECK);
    },
    abandon: () => copies.abandon(),
    rejected: () => missing.counted,
  };
}

function all<Row>(batch: ChangeBatch<Row>, add: AddRow<Row>) {
  const rows: RowRange<Row> = { batch, places: undefined };
  return { rows, add };
}

/** How often rows that other transactions keep changing are looked for before the transaction is tried again. */
const ATTEMPTS = 10;

function changedMeanwhile({ sql }: Table): EosError {
  const message = `rows of ${sql} that have to go are there and could not be deleted: other transactions change them, or a trigger keeps them`;
  return new EosError('EOS_UNAVAILABLE', message, { retryable: true });
}

/** The rows of a transaction on their way: those that come, kept open over all batches, and behind them those that go. */
function copiesOf<Row>(
  link: Link,
  { copies, table }: RetractPlan,
  after: Promise<void> | undefined,
  { opening, partitions }: { readonly opening: string; readonly partitions: Places },
) {
  const buffer = new TextBuffer();
  let begin = `${opening}; `;
  let open: CopiesIn | undefined;
  let last: CopiesIn | undefined;
  let sent = sentRows();
  let isAbandoned = false;
  const start = async (): Promise<CopiesIn> => {
    if (open !== undefined) return open;
    await after;
    // A rollback that came meanwhile must find no COPY opened behind it.
    if (isAbandoned) throw new EosError('EOS_ABORTED', 'the transaction was rolled back');
    open = last = startCopy(link, begin + copies);
    begin = '';
    sent = sentRows();
    return open;
  };
  const explain = (error: unknown): never => {
    throw sent.explain(error, table.name);
  };
  return {
    async begin(): Promise<void> {
      await start();
    },
    async write(rows: RowRange<Row>, add: AddRow<Row>): Promise<void> {
      const copy = await start();
      sent.add(rows);
      await sendRows(buffer, rows, add, (block) => copy.send(block)?.catch(explain));
    },
    /** Ends both, and answers `following`. */
    async end(going: readonly Retraction[], following?: string): Promise<readonly Answer[]> {
      const copy = await start();
      try {
        await copy.next(buffer.takeRest());
        for (const retraction of going) {
          addRetraction(buffer, retraction);
          if (buffer.isFull) await copy.send(buffer.take());
        }
        const answers = await copy.ask(buffer.takeRest(), following);
        open = undefined;
        return answers;
      } catch (error) {
        throw isAboutRetraction(error)
          ? explained(error, going, partitions)
          : sent.explain(error, table.name);
      }
    },
    async abandon(): Promise<void> {
      isAbandoned = true;
      await last?.abandon();
    },
  };
}

function addRetraction(buffer: TextBuffer, { line, copies, place, offset }: Retraction): void {
  buffer.add(line);
  buffer.add(`\t${copies}\t${place}\t${offset ?? '\\N'}\n`);
}

function isAboutRetraction(error: unknown): boolean {
  return isServerError(error) && error.where?.includes(`COPY ${RETRACTIONS}, `) === true;
}

/** The error of their COPY, with the row that the server means. */
function explained(error: unknown, going: readonly Retraction[], partitions: Places): EosError {
  const sent = sentRows();
  for (const { place, offset } of going) {
    const partition = partitions.partitionOf(place) ?? '';
    const offsets = offset === undefined ? {} : { offsets: BigInt64Array.of(offset) };
    sent.add({ batch: { partition, rows: [undefined], ...offsets }, places: undefined });
  }
  return sent.explain(error, RETRACTIONS);
}
