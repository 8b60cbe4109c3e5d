/** Which table each row of a batch goes to. */
import { EosError, isEosError, messageOf, type ChangeBatch } from '@eos/core';
import { shown } from '../copy/refuse.js';
import type { RowRange } from '../copy/row-sender.js';
import { placedIn } from '../copy/sent-rows.js';

export interface Router<Row> {
  readonly by: (row: Row) => unknown;
  /** The place of each table among all, by the name of its route. */
  readonly places: ReadonlyMap<string, number>;
}

/** The rows of one table, in the order of the batch. */
export interface RoutedRows<Row> {
  readonly table: number;
  readonly rows: RowRange<Row>;
}

/**
 * Sorts a batch by table, by counting: nothing is made for a single row.
 * @throws EOS_ROW for a row of no known table
 */
export function rowsByTable<Row>(batch: ChangeBatch<Row>, router: Router<Row>): RoutedRows<Row>[] {
  const { rows } = batch;
  const tables = new Uint16Array(rows.length);
  const ends = new Uint32Array(router.places.size);
  for (let index = 0; index < rows.length; index += 1) {
    const table = tableOf(batch, index, router);
    tables[index] = table;
    ends[table] = (ends[table] ?? 0) + 1;
  }
  const first = tables[0] ?? 0;
  if (ends[first] === rows.length) return [{ table: first, rows: { batch, places: undefined } }];
  const places = new Uint32Array(rows.length);
  const routed: RoutedRows<Row>[] = [];
  let start = 0;
  for (let table = 0; table < ends.length; table += 1) {
    const count = ends[table] ?? 0;
    if (count > 0) routed.push({ table, rows: { batch, places: places.subarray(start, start + count) } });
    ends[table] = start;
    start += count;
  }
  for (let index = 0; index < rows.length; index += 1) {
    const table = tables[index] ?? 0;
    const at = ends[table] ?? 0;
    places[at] = index;
    ends[table] = at + 1;
  }
  return routed;
}

function tableOf<Row>(batch: ChangeBatch<Row>, index: number, { by, places }: Router<Row>): number {
  let name: unknown;
  try {
    // Every index lies within the batch.
    name = by(batch.rows[index] as Row);
    const table = typeof name === 'string' ? places.get(name) : undefined;
    if (table !== undefined) return table;
  } catch (error) {
    const thrown = isEosError(error)
      ? error
      : new EosError('EOS_ROW', `route.by threw: ${messageOf(error)}`, { cause: error });
    throw placedIn(thrown, batch, index);
  }
  const message = `route.by names ${shown(name)}, which is none of the ${places.size} tables of the route`;
  throw placedIn(new EosError('EOS_ROW', message, { details: { route: name } }), batch, index);
}
