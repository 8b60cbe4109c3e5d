/** Our own reader, in the same words as the others. */
import { DeltaTable, type DeltaField, type DeltaType, type TableRow } from '@eos/delta';
import { asBits, asDecimal, asHex, asText, type Shown, type ShownRow } from './shown-rows.js';

export async function readWithEos(path: string, version: number | undefined): Promise<ShownRow[]> {
  const table = await DeltaTable.open({ folder: path, ...(version === undefined ? {} : { version }) });
  try {
    const rows: ShownRow[] = [];
    for await (const batch of table.rows()) {
      for (const row of batch) rows.push(shownRow(table.fields, row));
    }
    return rows;
  } finally {
    await table.close();
  }
}

export function shownRow(fields: readonly DeltaField[], row: TableRow): ShownRow {
  return shownFields(fields, (name) => row[name]);
}

function shownFields(fields: readonly DeltaField[], valueOf: (name: string) => unknown): ShownRow {
  const entries = fields.flatMap((field): [string, Shown][] => {
    const value = valueOf(field.name);
    if (value === null || value === undefined) return [];
    // A json column is parsed for those who read rows.
    if (typeof value === 'object' && field.metadata['eos.kind'] === 'json')
      return [[field.name, JSON.stringify(value)]];
    return [[field.name, shownValue(field.type, value)]];
  });
  return Object.fromEntries(entries.sort(([left], [right]) => (left < right ? -1 : 1)));
}

function shownValue(type: DeltaType, value: unknown): Shown {
  if (value === null || value === undefined) return null;
  switch (type.kind) {
    case 'float':
    case 'double':
      return asBits(value);
    case 'binary':
      return asHex(value);
    case 'decimal':
      return asDecimal(type.scale)(value);
    case 'array':
      return Array.from(value as Iterable<unknown>, (item) => shownValue(type.element, item));
    case 'map':
      return Array.from(value as Map<unknown, unknown>, ([key, item]) => [
        shownValue(type.key, key),
        shownValue(type.value, item),
      ]).sort((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1));
    case 'struct':
      return shownFields(type.fields, (name) => (value as Record<string, unknown>)[name]);
    default:
      return asText(value);
  }
}
