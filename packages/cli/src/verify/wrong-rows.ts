/** Rows that differ, as the report shows them. */
import { lineFields, type TableSnapshot } from '@eos/core';
import type { RowValues, WrongRow } from './report.js';
import type { Difference } from './row-groups.js';

/** By kind, then in the order of the source; what it does not know of comes last, by its text. */
export function byPlace(left: Difference, right: Difference): number {
  if (left.kind !== right.kind) return KINDS.indexOf(left.kind) - KINDS.indexOf(right.kind);
  if (left.place === undefined || right.place === undefined) return compared(textOf(left), textOf(right));
  const byPartition = compared(left.place.partition, right.place.partition);
  return byPartition === 0 ? compared(left.place.offset, right.place.offset) : byPartition;
}

const KINDS: readonly Difference['kind'][] = ['lost', 'doubled', 'changed', 'foreign'];

function compared<T extends string | bigint>(left: T, right: T): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

function textOf({ expected, found }: Difference): string {
  return expected ?? found ?? '';
}

export function wrongRow(difference: Difference, snapshot: TableSnapshot): WrongRow {
  const { kind, copies, expected, found, place } = difference;
  const wanted = valuesOf(expected, snapshot);
  const held = valuesOf(found, snapshot);
  const row = wanted ?? held ?? {};
  const place_ =
    place === undefined
      ? {}
      : {
          partition: place.partition,
          offset: place.offset.toString(),
          ...(place.next > place.offset + 1n ? { nextOffset: place.next.toString() } : {}),
        };
  if (kind !== 'changed' || wanted === undefined || held === undefined)
    return { kind, copies, row, ...place_ };
  const key = snapshot.columns.slice(0, snapshot.keyColumns);
  const columns = snapshot.columns.filter((name) => wanted[name] !== held[name]);
  return {
    kind,
    copies,
    row: Object.fromEntries(key.map((name) => [name, row[name] ?? null])),
    columns: Object.fromEntries(
      columns.map((name) => [name, { expected: wanted[name] ?? null, found: held[name] ?? null }]),
    ),
    ...place_,
  };
}

function valuesOf(line: string | undefined, { columns, show }: TableSnapshot): RowValues | undefined {
  if (line === undefined) return undefined;
  const fields = lineFields(Buffer.from(line, 'latin1'));
  const shown = columns.map((name, index): [string, string | null] => {
    const text = fields[index] ?? null;
    return [name, text === null || show === undefined ? text : show(name, text)];
  });
  return Object.fromEntries(shown);
}
