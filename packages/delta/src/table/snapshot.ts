/** The table as `eos verify` holds it against its source: rows and positions as of one version. */
import {
  EosError,
  rowLines,
  rowSchema,
  type Column,
  type ReadTableOptions,
  type RowSchema,
  type SinkContext,
  type TableSnapshot,
} from '@eos/core';
import type { Settings } from '../options.js';
import { readRecords } from '../positions/records.js';
import { typeName, type DeltaField } from '../schema/delta-schema.js';
import { eosColumnOf, eosKindOf } from '../schema/eos-columns.js';
import { openTableAt, type DeltaTable } from './delta-table.js';
import type { TableRow } from './file-rows.js';

/**
 * @throws EOS_SCHEMA where there is no table, or one with columns that cannot be compared; EOS_CONFIG for a key that it does not have;
 *   EOS_FORMAT, EOS_UNAVAILABLE, EOS_PERMISSION
 */
export async function readSnapshot(
  settings: Settings,
  context: SinkContext,
  options: ReadTableOptions = {},
): Promise<TableSnapshot> {
  const { location } = settings;
  const table = await openTableAt(location);
  try {
    const { schema, jsonTexts } = comparedColumns(table, settings.schema);
    const key = settings.mode === 'upsert' ? settings.key : (options.key ?? []);
    const unknown = key.find((name) => schema.columns[name] === undefined);
    if (unknown !== undefined)
      throw new EosError('EOS_CONFIG', `key: the table has no column ${JSON.stringify(unknown)}`, {
        details: { option: 'key' },
      });
    const { columns, encode } = rowLines(schema, key);
    return {
      description: `table ${location.description}`,
      positions: readRecords(table.applications, context, table.id),
      columns,
      keyColumns: key.length,
      encoder: () => async (batch) => encode(batch),
      async *rows() {
        for await (const rows of table.rows({ columns }))
          yield encode({ rows: jsonTexts.length === 0 ? rows : rows.map((row) => withJson(row, jsonTexts)) })
            .lines;
      },
      close: () => table.close(),
    };
  } catch (error) {
    await table.close();
    throw error;
  }
}

/** A text that the sink takes for JSON, and that nobody has told the table of. */
function withJson(row: TableRow, names: readonly string[]): TableRow {
  const parsed = names.map((name): [string, unknown] => {
    const text = row[name];
    return [name, typeof text === 'string' ? JSON.parse(text) : text];
  });
  return { ...row, ...Object.fromEntries<unknown>(parsed) };
}

/** The columns that the sink writes, as far as the table has them by now. */
function comparedColumns(
  table: DeltaTable,
  wanted: RowSchema | undefined,
): { readonly schema: RowSchema; readonly jsonTexts: readonly string[] } {
  const fields = table.fields.filter(
    ({ name }) => wanted === undefined || wanted.columns[name] !== undefined,
  );
  const columns = fields.map(
    (field) => [field.name, wanted?.columns[field.name] ?? comparable(field)] as const,
  );
  const isJson = (field: DeltaField) => wanted?.columns[field.name]?.type.kind === 'json';
  return {
    schema: rowSchema(Object.fromEntries(columns)),
    jsonTexts: fields.filter((field) => isJson(field) && eosKindOf(field) !== 'json').map(({ name }) => name),
  };
}

function comparable(field: DeltaField): Column {
  const column = eosColumnOf(field);
  if (column !== undefined) return column;
  const message = `column ${JSON.stringify(field.name)} of the table, a ${typeName(field.type)}, is of a type that rows of Eos do not have`;
  throw new EosError('EOS_SCHEMA', message, { details: { column: field.name } });
}
