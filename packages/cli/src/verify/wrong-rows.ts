/** Rows that differ, as the report shows them. */
import { lineFields, type TableSnapshot } from '@eos/core';
import type { RowValues, WrongRow } from './report.js';
import type { Difference } from './row-groups.js';

/** By kind, then in the order of the source; what it does not know of comes last, by its text. */
export function byPlace(left: Difference, right: Difference): number {
  if (left.kind !== right.kind) return KINDS.indexOf(left.kind) - KINDS.indexOf(right.kind);
  if (left.place === undefined || right.place === undefined) return compared(textOf(left), textOf(right));
  const byPartition = compared(left.place.partition, right.place.partition);
  if (byPartition !== 0) return byPartition;
  return compared(left.place.offset, right.place.offset) || compared(textOf(left), textOf(right));
}

const KINDS: readonly Difference['kind'][] = ['lost', 'doubled', 'changed', 'foreign'];

function compared<T extends string | bigint>(left: T, right: T): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

function textOf({ expected, found }: Difference): string {
  return expected ?? found ?? '';
}

export function wrongRow(difference: Difference, snapshot: TableSnapshot): WrongRow {
  const { kind, copies, expected, found } = difference;
  const wanted = shownLine(expected, snapshot);
  const held = shownLine(found, snapshot);
  const shown = wanted ?? held ?? NOTHING;
  const head = { kind, copies, ...(shown.table === undefined ? {} : { table: shown.table }) };
  const place = placeOf(difference);
  if (kind !== 'changed' || wanted === undefined || held === undefined)
    return { ...head, row: shown.values, ...place };
  const columns = Object.keys(wanted.values).filter((name) => wanted.values[name] !== held.values[name]);
  return {
    ...head,
    row: Object.fromEntries(wanted.key.map((name) => [name, wanted.values[name] ?? null])),
    columns: Object.fromEntries(
      columns.map((name) => [
        name,
        { expected: wanted.values[name] ?? null, found: held.values[name] ?? null },
      ]),
    ),
    ...place,
  };
}

function placeOf({ place }: Difference): Pick<WrongRow, 'partition' | 'offset' | 'nextOffset'> {
  if (place === undefined) return {};
  const { partition, offset, next } = place;
  const range = next > offset + 1n ? { nextOffset: next.toString() } : {};
  return { partition, offset: offset.toString(), ...range };
}

interface ShownLine {
  readonly table: string | undefined;
  readonly values: RowValues;
  /** The names of the key's columns. */
  readonly key: readonly string[];
}

const NOTHING: ShownLine = { table: undefined, values: {}, key: [] };

function shownLine(line: string | undefined, snapshot: TableSnapshot): ShownLine | undefined {
  if (line === undefined) return undefined;
  const { tables, show, keyColumns } = snapshot;
  const all = lineFields(Buffer.from(line, 'latin1'));
  const table = tables === undefined ? undefined : (all[0] ?? '');
  const fields = tables === undefined ? all : all.slice(1);
  const columns = table === undefined ? snapshot.columns : (tables?.get(table) ?? []);
  const values: Record<string, string | null> = {};
  columns.forEach((name, index) => {
    const text = fields[index] ?? null;
    if (name !== '') values[name] = text === null || show === undefined ? text : show(name, text, table);
  });
  const key = columns.slice(0, tables === undefined ? keyColumns : Math.max(0, keyColumns - 1));
  return { table, values, key: key.filter((name) => name !== '') };
}
