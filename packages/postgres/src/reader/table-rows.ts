/** The rows of one table on their way to it, kept as COPY text until their turn comes: a connection has one COPY at a time. */
import { rowAdder } from '../copy/copy-text.js';
import { lastChanges, seenKeys } from '../modes/fold.js';
import { quoteAll } from '../connection/identifiers.js';
import type { KeyOf } from '../table/keys.js';
import { sendRows, type AddRow, type RowRange } from '../copy/row-sender.js';
import { sentRows, type SentRows } from '../copy/sent-rows.js';
import { changeAdder, type StagedPlan } from '../modes/staged.js';
import type { Contents } from '../modes/staging.js';
import type { Table } from '../table/table.js';
import { TextBuffer } from '../copy/text-buffer.js';
import type { ColumnEncoder } from '../copy/value-text.js';

/** How the rows of one table get there. */
export interface TablePlan {
  readonly table: Table;
  /** Readies a connection, once. */
  readonly setUp: string | undefined;
  /** What a part of a transaction has to begin with, behind a `; `, where another has been written before it. */
  readonly again?: string;
  /** Where its rows are copied to, and what errors call that. */
  readonly copy: string;
  readonly copiedTo: string;
  /** Whether the copying may wait for what another transaction has locked. */
  readonly mayWait: boolean;
  /** Begins a transaction. */
  readonly rows: () => TableRows;
}

/** What was kept of a table, with where its rows came from. */
export interface KeptRows {
  readonly blocks: readonly Buffer[];
  readonly sent: SentRows;
}

export interface TableRows {
  add(rows: RowRange<unknown>): Promise<void>;
  /** How many bytes are kept. */
  readonly bytes: number;
  /** Hands out what is kept; undefined for nothing. */
  take(): KeptRows | undefined;
  /** What brings all that was copied to the table, where that needs a statement of its own. */
  merge(): string | undefined;
}

/** As much as a table of a few rows a transaction needs, and what the runtime still hands out from a pool. */
const ROOM_BYTES = 2_048;

function keptLines() {
  const buffer = new TextBuffer(ROOM_BYTES);
  let blocks: Buffer[] = [];
  let blockBytes = 0;
  let sent = sentRows();
  return {
    get bytes() {
      return blockBytes + buffer.length;
    },
    async add(rows: RowRange<unknown>, add: AddRow<unknown>) {
      sent.add(rows);
      await sendRows(buffer, rows, add, (block) => {
        blocks.push(block);
        blockBytes += block.length;
        return undefined;
      });
    },
    take(): KeptRows | undefined {
      const rest = buffer.takeRest();
      const kept = { blocks: rest === undefined ? blocks : [...blocks, rest], sent };
      if (kept.blocks.length === 0) return undefined;
      blocks = [];
      blockBytes = 0;
      sent = sentRows();
      return kept;
    },
  };
}

export function appendPlan(table: Table, columns: readonly ColumnEncoder[]): TablePlan {
  const add = rowAdder(columns);
  return {
    table,
    setUp: undefined,
    copy: `COPY ${table.sql} (${quoteAll(columns.map(({ name }) => name))}) FROM STDIN`,
    copiedTo: table.name,
    mayWait: table.insertLocks > 0,
    rows() {
      const lines = keptLines();
      return {
        add: (rows) => lines.add(rows, add),
        get bytes() {
          return lines.bytes;
        },
        take: () => lines.take(),
        merge: () => undefined,
      };
    },
  };
}

/**
 * Always by way of a staging table: with many tables there is a key that is not new in almost every transaction.
 * @param rememberedKeys of a transaction: bounds its memory
 */
export function upsertPlan(
  table: Table,
  plan: StagedPlan & { readonly keyOf: KeyOf; readonly stagingName: string },
  rememberedKeys: number,
): TablePlan {
  const { keyOf, staging, stagingName } = plan;
  return {
    table,
    setUp: staging.create,
    copy: staging.copy,
    copiedTo: stagingName,
    again: `; TRUNCATE pg_temp.${stagingName}`,
    mayWait: false,
    rows() {
      const lines = keptLines();
      const contents: Contents = { hasDeletes: false, hasUpserts: false, hasRepeats: false };
      const seen = seenKeys(rememberedKeys);
      let number = 0;
      return {
        async add({ batch, places }) {
          const last = lastChanges(batch, keyOf, places);
          // Asked for each batch: it remembers the keys.
          const isRepeated = seen.add(last);
          contents.hasRepeats ||= isRepeated;
          number += 1;
          const rows = { batch, places: last.places };
          await lines.add(rows, changeAdder(plan, contents, number, batch.ops));
        },
        get bytes() {
          return lines.bytes;
        },
        take: () => lines.take(),
        merge: () => staging.changes(contents),
      };
    },
  };
}
