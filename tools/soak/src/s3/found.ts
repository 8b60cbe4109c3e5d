/** What the tables hold, held against what the changes below the stored positions say. */
import type { ObjectStore } from '@eos/object-store';
import { openTable, s3Sink } from '@eos/s3';
import { expectedRows, textOf, type SoakRow } from '../changes.js';
import type { TableCheck } from '../found.js';
import type { Lister } from './lister.js';
import { idOf, pipelineOf, SINK, tableOptions, WRITERS, type Table, type WriterName } from './task.js';

/** Claims every partition once more, which completes what is committed and may not be visible yet. */
export async function claimAll(store: ObjectStore, table: Table): Promise<void> {
  for (const writer of WRITERS) {
    const sink = await s3Sink({ store, ...tableOptions(table) }).open({
      pipeline: pipelineOf(writer, table),
      sink: SINK,
    });
    await sink.recover(['0']);
    await sink.close();
  }
}

/** Row by row, each writer by itself: whose a row is, its id says. Memory: the texts of all rows. */
export async function checkTable(store: ObjectStore, table: Table): Promise<TableCheck[]> {
  const opened = await openTable(store, table.name);
  const found = new Map<WriterName, Map<string, number>>(WRITERS.map((writer) => [writer, new Map()]));
  for await (const rows of opened.rows()) {
    for (const row of rows) {
      // As the table's own schema has it.
      const { id, word, number } = row as unknown as SoakRow;
      const writer = WRITERS[Number(BigInt(id) % BigInt(WRITERS.length))] ?? WRITERS[0];
      const texts = found.get(writer);
      const text = textOf({ id, word, number: number ?? null });
      texts?.set(text, (texts.get(text) ?? 0) + 1);
    }
  }
  return WRITERS.map((writer) => {
    const positions = opened.positions.get(`${pipelineOf(writer, table)}/${SINK}`);
    const changes = positions?.get('0')?.offset ?? 0n;
    return {
      name: pipelineOf(writer, table),
      changes,
      ...compare(writer, table, changes, found.get(writer)),
    };
  });
}

function compare(
  writer: WriterName,
  { mode }: Table,
  changes: bigint,
  found: ReadonlyMap<string, number> = new Map(),
): Omit<TableCheck, 'name' | 'changes'> {
  const check = { rows: 0, lost: 0, duplicated: 0, wrong: 0 };
  const expected = new Set([...expectedRows(mode, changes).keys()].map((text) => ownText(writer, text)));
  for (const [text, copies] of found) {
    check.rows += copies;
    if (!expected.has(text)) check.wrong += copies;
    else check.duplicated += copies - 1;
  }
  for (const text of expected) if (!found.has(text)) check.lost += 1;
  return check;
}

/** The oracle's text, with the id that this writer gives to the row. */
function ownText(writer: WriterName, text: string): string {
  const end = text.indexOf('|');
  return `${idOf(writer, BigInt(text.slice(0, end)))}${text.slice(end)}`;
}

/** In the end, a listing shows every file of a commit and no other. */
export async function checkListing(lister: Lister): Promise<readonly string[]> {
  const [committed, listed] = [await lister.committed(), await lister.listed()];
  const missing = [...committed].filter((key) => !listed.has(key));
  return [...lister.problems, ...missing.map((key) => `${key} is committed, and never came to light`)];
}
