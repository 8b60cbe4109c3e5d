/** Changes on their way to the staging table of a connection, and from there to the target. */
import { isRetraction } from '@eos/core';
import type { Link } from '../connection/connection.js';
import { startCopy, type CopyIn } from '../copy/copy-stream.js';
import { sendRows, type AddRow, type BadRowHandling, type RowRange } from '../copy/row-sender.js';
import { sentRows } from '../copy/sent-rows.js';
import { STAGING, type Contents, type Staging } from './staging.js';
import { TextBuffer } from '../copy/text-buffer.js';

export interface StagedPlan {
  readonly staging: Staging;
  readonly addUpsert: AddRow<unknown>;
  readonly addDelete: AddRow<unknown>;
}

export interface Staged<Row> {
  /** Adds a batch in which no key comes twice; `isRepeated` where one may have come before. */
  write(rows: RowRange<Row>, isRepeated: boolean): Promise<void>;
  /** Brings everything to the target. */
  merge(): Promise<void>;
  abandon(): Promise<void>;
}

/** The number of a batch that was staged before, as blocks of upserts. */
const FIRST = 1;

/**
 * @param begin statements before the COPY
 * @param hasFirst whether a first batch of upserts is staged already
 * @param bad what is done about bad rows; default: the first one is thrown
 */
export function stagedChanges<Row>(
  link: Link,
  plan: StagedPlan,
  begin: string,
  hasFirst: boolean,
  bad?: BadRowHandling<Row>,
): Staged<Row> {
  const { staging } = plan;
  const contents: Contents = { hasDeletes: false, hasUpserts: hasFirst, hasRepeats: false };
  const sent = sentRows();
  const buffer = new TextBuffer();
  let number = FIRST;
  let copy: CopyIn | undefined;
  const explain = (error: unknown): never => {
    throw sent.explain(error, STAGING);
  };

  return {
    async write(rows, isRepeated) {
      const open = (copy ??= startCopy(link, begin + staging.copy));
      contents.hasRepeats ||= isRepeated;
      sent.add(rows);
      number += 1;
      const add = changeAdder(plan, contents, number, rows.batch.ops);
      await sendRows(buffer, rows, add, (block) => open.send(block)?.catch(explain), bad);
    },
    async merge() {
      const statements = staging.merge(contents);
      await (copy === undefined ? link.run(statements) : copy.finish(buffer.takeRest(), statements)).catch(
        explain,
      );
    },
    async abandon() {
      await copy?.abandon();
    },
  };
}

/** A line for each change of batch `number`; notes in `contents` what there was. */
export function changeAdder(
  { addUpsert, addDelete }: StagedPlan,
  contents: Contents,
  number: number,
  ops: Uint8Array | undefined,
): AddRow<unknown> {
  const [upserts, deletes] = [`\t${number}`, `\t-${number}`];
  return (lines, row, index) => {
    if (isRetraction(ops?.[index] ?? 0)) {
      contents.hasDeletes = true;
      addDelete(lines, row, index);
      lines.add(deletes);
    } else {
      contents.hasUpserts = true;
      addUpsert(lines, row, index);
      lines.add(upserts);
    }
  };
}

/** Stages blocks of upserts, without their `change`, as the first batch of an open transaction. */
export async function stageFirst(link: Link, staging: Staging, blocks: readonly Buffer[]): Promise<void> {
  const copy = startCopy(link, staging.copyFirst);
  for (const block of blocks) await copy.send(block);
  await copy.finish(undefined);
}
