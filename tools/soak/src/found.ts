/** What the tables hold, held against what the changes below the stored position say. */
import { Client, escapeIdentifier } from 'pg';
import { changeAt, expectedRows, textOf } from './changes.js';
import { nameOf, type Group, type Mode } from './task.js';

export interface TableCheck {
  readonly name: string;
  readonly changes: bigint;
  readonly rows: number;
  readonly lost: number;
  readonly duplicated: number;
  /** Rows that never were, or should be gone. */
  readonly wrong: number;
}

const FETCH = 5_000;

export async function checkTable(client: Client, group: Group, mode: Mode): Promise<TableCheck> {
  const name = nameOf(group, mode);
  const changes = await storedOffset(client, name);
  const check = { rows: 0, lost: 0, duplicated: 0, wrong: 0 };
  const judge = mode === 'append' ? appended(changes, check) : counted(mode, changes, check);
  for await (const { id, text } of rowsOf(client, name)) {
    check.rows += 1;
    judge.row(id, text);
  }
  judge.end();
  return { name, changes, ...check };
}

type Counts = { rows: number; lost: number; duplicated: number; wrong: number };

/** A bit would do for each row; a byte keeps it simple, and is bounded by the length of the soak. */
function appended(changes: bigint, check: Counts) {
  const seen = new Uint8Array(Number(changes));
  return {
    row(id: bigint, text: string) {
      if (id >= changes || textOf(changeAt('append', id).row) !== text) check.wrong += 1;
      else if ((seen[Number(id)] ?? 0) > 0) check.duplicated += 1;
      else seen[Number(id)] = 1;
    },
    end() {
      check.lost = seen.reduce((lost, isThere) => lost + (isThere === 0 ? 1 : 0), 0);
    },
  };
}

function counted(mode: Mode, changes: bigint, check: Counts) {
  const left = new Map(expectedRows(mode, changes));
  const known = new Set(left.keys());
  return {
    row(_: bigint, text: string) {
      const copies = left.get(text) ?? 0;
      if (copies > 0) left.set(text, copies - 1);
      else if (known.has(text)) check.duplicated += 1;
      else check.wrong += 1;
    },
    end() {
      for (const copies of left.values()) check.lost += copies;
    },
  };
}

async function storedOffset(client: Client, pipeline: string): Promise<bigint> {
  const { rows } = await client.query<{ next_offset: string }>(
    'SELECT next_offset FROM eos.positions WHERE pipeline = $1 ORDER BY epoch DESC LIMIT 1',
    [pipeline],
  );
  return BigInt(rows[0]?.next_offset ?? 0);
}

async function* rowsOf(client: Client, table: string): AsyncGenerator<{ id: bigint; text: string }> {
  await client.query('BEGIN');
  await client.query(`DECLARE found CURSOR FOR
    SELECT id, id || '|' || word || '|' || coalesce(number::text, '') AS text FROM ${escapeIdentifier(table)}`);
  for (;;) {
    const { rows } = await client.query<{ id: string; text: string }>(`FETCH ${FETCH} FROM found`);
    for (const { id, text } of rows) yield { id: BigInt(id), text };
    if (rows.length === 0) break;
  }
  await client.query('COMMIT');
}
