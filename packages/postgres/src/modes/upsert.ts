/** Upsert: the changes of a transaction by key, straight into the target or by way of a staging table. */
import { EosError, Op, type ChangeBatch } from '@eos/core';
import { BEGIN } from '../law/begin.js';
import type { Link } from '../connection/connection.js';
import { fieldsOf, rowAdder } from '../copy/copy-text.js';
import { directRows, type Direct } from './direct.js';
import { changeBefore, lastChanges, seenKeys, type LastChanges, type SeenKeys } from './fold.js';
import { guessNewKeys, type Guess } from './guess.js';
import { quoteAll } from '../connection/identifiers.js';
import { planKey, type KeyOf } from '../table/keys.js';
import { stagedChanges, stageFirst, type Staged, type StagedPlan } from './staged.js';
import { CHECK, planStaging, STAGING } from './staging.js';
import type { Table } from '../table/table.js';
import { NULL, type ColumnEncoder } from '../copy/value-text.js';
import type { Opening, Writer, Writers } from './writer.js';

/** What is the same for all transactions of a session. */
interface UpsertPlan extends StagedPlan {
  readonly table: Table;
  readonly keyOf: KeyOf;
  /** A COPY of upserts into the target. */
  readonly copyDirect: string;
  readonly newKeys: Guess;
  /** The keys of the latest transaction that was begun. */
  latest: SeenKeys;
}

export function upsertWriters<Row>(
  table: Table,
  columns: readonly ColumnEncoder[],
  key: readonly string[],
): Writers<Row> {
  const plan: UpsertPlan = {
    ...planChanges(table, columns, key),
    table,
    copyDirect: `COPY ${table.sql} (${quoteAll(columns.map(({ name }) => name))}) FROM STDIN`,
    newKeys: guessNewKeys(),
    latest: seenKeys(),
  };
  return {
    async prepare(link) {
      await link.run(plan.staging.create);
    },
    begin: (link, after, opening) => upsertWriter<Row>(link, plan, after, opening),
    again: `; TRUNCATE pg_temp.${STAGING}`,
    keyOf: (row) => plan.keyOf(fieldsOf(row)),
  };
}

/**
 * How changes of one table are folded, staged and merged.
 * @param stagingName of the temporary table
 * @throws EOS_SCHEMA where the table cannot take them by that key
 */
export function planChanges(
  table: Table,
  columns: readonly ColumnEncoder[],
  key: readonly string[],
  stagingName = STAGING,
): StagedPlan & { readonly keyOf: KeyOf; readonly stagingName: string } {
  const names = columns.map(({ name }) => name);
  return {
    keyOf: planKey(table, columns, key),
    staging: planStaging(table, names, key, stagingName),
    stagingName,
    addUpsert: rowAdder(columns),
    // A delete needs no more than its key.
    addDelete: rowAdder(columns.map((column) => (key.includes(column.name) ? column : leftOut(column)))),
  };
}

function leftOut(column: ColumnEncoder): ColumnEncoder {
  return { ...column, isNullable: true, encode: () => NULL };
}

/**
 * A transaction begins direct where its keys are likely to be new. With the first delete, update or repeated key, or when the
 * target refuses a key, it goes on by way of the staging table, which can do everything.
 */
function upsertWriter<Row>(
  link: Link,
  plan: UpsertPlan,
  after: Promise<void> | undefined,
  { statements: opening = BEGIN, reject }: Opening<Row> = {},
): Writer<Row> {
  const { copyDirect: statement, addUpsert: add, keyOf, newKeys, table, staging } = plan;
  const { highest: earlier } = plan.latest;
  const seen = (plan.latest = seenKeys());
  // Keys above all of the transaction before wait for none of its locks, nor it for theirs, where nothing but the key has any.
  const isFree = ({ range }: LastChanges) =>
    table.insertLocks <= 1 && range !== undefined && range.lowest > earlier;
  let waitsFor = after;
  let direct: Direct<Row> | undefined;
  let staged: Staged<Row> | undefined;
  let isAbandoned = false;
  const bad = reject && {
    reject,
    instead: (batch: ChangeBatch<Row>, index: number) => changeBefore(batch, keyOf, index),
  };
  const checkOpen = () => {
    if (isAbandoned) throw new EosError('EOS_ABORTED', 'the transaction was rolled back');
  };

  const begin = (batch: ChangeBatch<Row>, last: LastChanges) => {
    const isDirect = newKeys.isNew() && hasInsertsOnly(batch);
    if (isDirect) {
      direct = directRows(link, {
        opening,
        statement,
        table: table.name,
        add,
        after: isFree(last) ? undefined : after,
        bad,
      });
      if (!isFree(last)) waitsFor = undefined;
    } else staged = stagedChanges(link, plan, `${opening}; `, false, bad);
  };

  /** What went in directly stays in, unless it was refused. */
  const leave = async (from: Direct<Row>): Promise<Staged<Row>> => {
    newKeys.wasWrong();
    const isIn = await from.end();
    // A rollback that came meanwhile must find no COPY opened behind it.
    checkOpen();
    if (!isIn) {
      await link.run('ROLLBACK TO eos');
      await stageFirst(link, staging, from.refused).catch((error: unknown) => from.explain(error, STAGING));
    }
    checkOpen();
    direct = undefined;
    return (staged = stagedChanges(link, plan, '', !isIn, bad));
  };

  return {
    async write(batch) {
      const last = lastChanges(batch, keyOf, undefined, reject);
      const hasRepeats = seen.add(last);
      const rows = { batch, places: last.places };
      if (direct === undefined && staged === undefined) begin(batch, last);
      if (direct !== undefined && !hasRepeats && hasInsertsOnly(batch)) {
        if (!isFree(last)) await waitsFor;
        if (!(await direct.write(rows))) await leave(direct);
        return;
      }
      if (direct !== undefined) await leave(direct);
      await staged?.write(rows, hasRepeats);
    },
    async prepare() {
      if (direct !== undefined) {
        if (await direct.end(CHECK)) {
          newKeys.wasRight();
          return;
        }
        await leave(direct);
      }
      await staged?.merge();
    },
    async abandon() {
      isAbandoned = true;
      await (direct ?? staged)?.abandon();
    },
  };
}

function hasInsertsOnly<Row>({ ops }: ChangeBatch<Row>): boolean {
  return ops?.every((op) => op === Op.insert) ?? true;
}
