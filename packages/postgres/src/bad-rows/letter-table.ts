/** The table of dead letters: made where it is missing, checked, and written to. */
import type { SinkContext, TxId } from '@eos/core';
import type { Letter } from './bad-rows.js';
import { FORMAT, inSetUp, permissionError } from '../law/catalog.js';
import type { Link } from '../connection/connection.js';
import { literal, quote, quoteTable, type TableName } from '../connection/identifiers.js';
import { shorten } from '../copy/refuse.js';
import { schemaError } from '../table/table.js';

/** Where dead letters go unless told otherwise. */
export const DEAD_LETTERS: TableName = { schema: 'eos', name: 'dead_letters' };

/** `replay_offset` orders what was asked to be replayed, and is what the position of a replay counts in. */
function tableBody(): string {
  return `
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    pipeline text COLLATE "C" NOT NULL,
    sink text COLLATE "C" NOT NULL,
    partition text COLLATE "C" NOT NULL,
    row_offset bigint,
    op text NOT NULL,
    row jsonb NOT NULL,
    types jsonb,
    code text NOT NULL,
    sql_state text,
    message text NOT NULL,
    column_name text,
    constraint_name text,
    tx_id bigint NOT NULL,
    written_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
    replay_offset bigint,
    replayed_at timestamptz,
    format int NOT NULL`;
}

const WRITTEN = [
  ...['pipeline', 'sink', 'partition', 'row_offset', 'op', 'row', 'types', 'code', 'sql_state', 'message'],
  ...['column_name', 'constraint_name', 'tx_id', 'format'],
];

/**
 * Makes the table where it is missing.
 * @throws EOS_PERMISSION with what is missing to make it or to write to it; EOS_SCHEMA for a table that is another one
 */
export async function ensureLetterTable(link: Link, table: TableName): Promise<void> {
  const sql = quoteTable(table);
  if (await checkLetterTable(link, table)) return;
  const index = `CREATE UNIQUE INDEX ON ${sql} (pipeline, sink, replay_offset) WHERE replay_offset IS NOT NULL`;
  const make = `CREATE TABLE ${sql} (${tableBody()}); ${index}`;
  const guarded = `DO $eos$ BEGIN IF pg_catalog.to_regclass(${literal(sql)}) IS NULL THEN ${make}; END IF; END $eos$`;
  await inSetUp(link, guarded);
  if (!(await checkLetterTable(link, table))) throw schemaError(`table ${sql} was made, but cannot be seen`);
}

/** Whether it is there. */
async function checkLetterTable(link: Link, table: TableName): Promise<boolean> {
  const sql = quoteTable(table);
  const oid = `pg_catalog.to_regclass(${literal(sql)})`;
  const [found, columns] = await link.run(`
    SELECT pg_catalog.has_table_privilege(${oid}, 'INSERT') WHERE ${oid} IS NOT NULL;
    SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = ${oid} AND attnum > 0 AND NOT attisdropped`);
  const [grant] = found?.rows ?? [];
  if (grant === undefined) return false;
  const names = new Set(columns?.rows.map(([name]) => name));
  const missing = WRITTEN.find((name) => !names.has(name));
  if (missing !== undefined) {
    throw schemaError(
      `${sql} is no table of dead letters: it has no column ${quote(missing)}. Name another one`,
    );
  }
  if (grant[0] !== 't') throw permissionError([`INSERT ON ${sql}`]);
  return true;
}

/** Makes a function that makes the statement which stores letters of one transaction, in that transaction. */
export type StoreOf = (
  table: TableName,
  context: SinkContext,
) => (letters: readonly Letter[], id: TxId) => string;

/** New letters. */
export const letterStore: StoreOf = (table, { pipeline, sink }) => {
  const into = `INSERT INTO ${quoteTable(table)} (${WRITTEN.join(', ')}) VALUES `;
  return (letters, id) => into + letters.map((letter) => values(letter, id)).join(', ');

  function values({ partition, offset, op, row, types, error }: Letter, id: TxId): string {
    const { sqlState, column, constraint } = error.details;
    const fields = [
      ...[
        literal(pipeline),
        literal(sink),
        literal(partition),
        offset === undefined ? 'NULL' : String(offset),
      ],
      ...[literal(op), literal(row), textOrNull(types), literal(error.code), textOrNull(sqlState)],
      ...[storable(error.message), textOrNull(column), textOrNull(constraint), String(id), String(FORMAT)],
    ];
    return `(${fields.join(', ')})`;
  }
};

export function textOrNull(value: unknown): string {
  return typeof value === 'string' ? storable(value) : 'NULL';
}

/** A message may quote what the server cannot hold: a NUL, or half of a surrogate pair. */
export function storable(text: string): string {
  return literal(shorten(text, 2_000).replace(/[\0\p{Surrogate}]/gu, '\ufffd'));
}
