/** `route` in a file of configuration: as in a program, but chosen by a column. */
import { COLUMNS_SCHEMA, rowSchemaOf, type JsonValue, type OptionSchema } from '@eos/core';
import type { RoutedSinkOptions, RoutedTable } from './route-options.js';

/** @param options how the options of one table are described */
export function routeSchema(
  options: Readonly<Record<'table' | 'columns' | 'key' | 'create' | 'evolution', OptionSchema>>,
): OptionSchema {
  const { table, columns, key, create, evolution } = options;
  const properties = { table, schema: COLUMNS_SCHEMA, columns, key, create, evolution } satisfies Record<
    keyof RoutedTable,
    OptionSchema
  >;
  return {
    type: 'object',
    description: 'Several tables in one transaction, instead of table.',
    properties: {
      by: { type: 'string', minLength: 1, description: 'The column that holds the name of the route.' },
      tables: {
        type: 'object',
        minProperties: 1,
        description:
          'The tables by the names of their routes, which are theirs too unless table says otherwise.',
        additionalProperties: { type: 'object', properties, additionalProperties: false },
      },
    },
    required: ['by', 'tables'],
    additionalProperties: false,
  };
}

/** @throws EOS_CONFIG for columns that are none */
export function routeOf(route: JsonValue): RoutedSinkOptions['route'] {
  // Checked against the schema above, which has the names and types of these options.
  const { by, tables } = route as { by: string; tables: Record<string, Record<string, JsonValue>> };
  const made = Object.entries(tables).map(([name, { schema, ...others }]): [string, RoutedTable] => {
    const option = `route.tables.${name}.schema`;
    return [name, schema === undefined ? others : { ...others, schema: rowSchemaOf(schema, option) }];
  });
  return { by, tables: Object.fromEntries(made) };
}
