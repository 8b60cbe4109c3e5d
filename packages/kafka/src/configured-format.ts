/** Formats of records as a file of configuration writes them. */
import {
  COLUMNS_SCHEMA,
  EosError,
  type Columns,
  rowSchemaOf,
  type ConfiguredOptions,
  type JsonValue,
  type OptionSchema,
} from '@eos/core';
import { debezium, type DebeziumOptions } from './encoding/debezium-format.js';
import type { RecordFormat } from './encoding/format.js';
import { json, type JsonOptions } from './encoding/json-format.js';

/** A format needs a program where it takes functions; these two do not. */
export const READ_OPTIONS = {
  format: {
    enum: ['json', 'debezium'],
    default: 'json',
    description:
      "json: rows as objects. debezium: changes in Debezium's envelope, with the rows before and after.",
  },
  schema: COLUMNS_SCHEMA,
  mode: {
    enum: ['append', 'upsert', 'retract'],
    description:
      'json: append (default), or upsert with key and tombstones. debezium: retract (default), or upsert where old rows are not sent.',
  },
  key: {
    type: 'array',
    items: { type: 'string' },
    minItems: 1,
    description: 'The columns that are the key of a record.',
  },
  keyForm: {
    enum: ['json', 'text'],
    default: 'json',
    description: 'json: an object with the key columns. text: the bare value of a key of one column.',
  },
} as const satisfies Record<string, OptionSchema>;

/** Those that matter for writing too. */
export const FORMAT_OPTIONS = {
  ...READ_OPTIONS,
  int64: {
    enum: ['number', 'string'],
    default: 'number',
    description: 'How an int64 is written: number has all digits, which readers that use doubles round.',
  },
  decimal: {
    enum: ['string', 'number'],
    default: 'string',
    description: 'How a decimal is written.',
  },
  tombstones: {
    type: 'boolean',
    default: true,
    description: 'debezium: whether a tombstone follows each delete.',
  },
} as const satisfies Record<string, OptionSchema>;

/**
 * Makes the format, and gives what is left of the options.
 * @throws EOS_CONFIG
 */
export function configuredFormat(options: ConfiguredOptions): {
  readonly format: RecordFormat<Record<string, unknown>>;
  readonly rest: Readonly<Record<string, JsonValue>>;
} {
  const { format = 'json', schema = null, mode, key, keyForm, int64, decimal, tombstones, ...rest } = options;
  const named = { key, keyForm, int64, decimal };
  const given = Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined));
  // Checked against the schemas above, which have the names and types of these options.
  const common = { ...given, schema: rowSchemaOf(schema) } as unknown as JsonOptions<Columns>;
  if (format === 'debezium') {
    if (mode === 'append') throw unfit('debezium holds updates and deletes: retract or upsert');
    const changes = mode === undefined ? {} : { changelog: mode };
    const further = { ...changes, ...(tombstones === undefined ? {} : { tombstones }) };
    return { format: asRows(debezium({ ...common, ...further } as DebeziumOptions<Columns>)), rest };
  }
  if (mode === 'retract') throw unfit('json holds no rows as they were before: append or upsert');
  return {
    format: asRows(json({ ...common, ...(mode === undefined ? {} : { mode }) } as JsonOptions<Columns>)),
    rest,
  };
}

function unfit(problem: string): EosError {
  return new EosError('EOS_CONFIG', `mode: ${problem}`, { details: { option: 'mode' } });
}

/** Rows of a file's schema have no type of their own; the encoder checks each value. */
function asRows<In, Out>(format: RecordFormat<In, Out>): RecordFormat<Record<string, unknown>> {
  return format as unknown as RecordFormat<Record<string, unknown>>;
}
