/** The sink of this package, for files of configuration: `use: '@eos/postgres'`. */
import { COLUMNS_SCHEMA, EosError, rowSchemaOf, type EosPackage, type OptionSchema } from '@eos/core';
import { BAD_ROWS } from './bad-rows/bad-rows.js';
import { routeOf, routeSchema } from './routes/configured-route.js';
import type { PostgresSinkOptions } from './options.js';
import type { RoutedSinkOptions } from './routes/route-options.js';
import { postgresSink } from './sink.js';

const NAMES: OptionSchema = { type: 'array', items: { type: 'string' }, minItems: 1 };

const TABLE = {
  anyOf: [
    { type: 'string', minLength: 1 },
    {
      type: 'object',
      properties: { schema: { type: 'string' }, name: { type: 'string' } },
      required: ['name'],
      additionalProperties: false,
    },
  ],
} as const;

/** An option without a line here is refused in files of configuration: this object has one for each. */
const OPTIONS = {
  connection: {
    description: 'A postgresql:// URL, or the options of pg: host, port, database, user, password, ssl …',
    anyOf: [{ type: 'string', minLength: 1 }, { type: 'object' }],
    examples: ['${DATABASE_URL}'],
  },
  table: {
    ...TABLE,
    description: 'flights, sales.flights, or { schema, name } for names with a dot. Case counts.',
  },
  mode: {
    enum: ['append', 'upsert', 'retract'],
    default: 'append',
    description:
      'append: every row is added. upsert: the last change of each key wins, deletes delete. retract: no key; a delete takes one copy.',
  },
  key: { ...NAMES, description: 'For upsert: the columns of a primary key or unique index.' },
  missingRow: {
    enum: ['fail', 'count'],
    default: 'fail',
    description: 'For retract: stop at a row that is taken back and not there, or count it and go on.',
  },
  requireRowHash: {
    type: 'boolean',
    default: true,
    description:
      'For retract: false takes a table without eos_row_hash too, and reads all of it for each delete.',
  },
  schema: COLUMNS_SCHEMA,
  columns: { ...NAMES, description: 'Which columns to write, where there is no schema. Default: all.' },
  badRows: {
    enum: BAD_ROWS,
    default: 'fail',
    description:
      'fail: the first bad row stops. dead-letter: it goes into a table, exactly once. skip: it is dropped, and counted.',
  },
  deadLetterTable: {
    ...TABLE,
    description: 'For dead-letter: where bad rows go. Default: eos.dead_letters.',
  },
  maxBadRows: {
    type: 'integer',
    minimum: 0,
    default: 1_000,
    description: 'A transaction with more bad rows than this fails.',
  },
  create: {
    type: 'boolean',
    description: 'Make the table where it is missing. Default: true with a schema.',
  },
  evolution: {
    enum: ['fail', 'add-nullable'],
    default: 'fail',
    description: 'What to do about columns of the schema that the table lacks. Types are never changed.',
  },
  lockTimeoutMs: milliseconds(2_000, 'How long a claim waits for a commit in flight.'),
  terminateBlocking: {
    type: 'boolean',
    default: true,
    description: 'Whether a blocking connection of an earlier session of the same sink may be terminated.',
  },
  idleInTransactionTimeoutMs: milliseconds(
    300_000,
    'The server ends a session that idles within a transaction for this long.',
  ),
  statementTimeoutMs: milliseconds(300_000, 'A statement without an answer is given up after this long.'),
  commitTimeoutMs: milliseconds(60_000, 'A commit without an answer is given up after this long.'),
} as const satisfies Record<keyof PostgresSinkOptions, OptionSchema>;

function milliseconds(otherwise: number, description: string) {
  return { type: 'integer', minimum: 1, maximum: 2 ** 31 - 1, default: otherwise, description } as const;
}

export const eosPackage: EosPackage = {
  sinks: {
    postgres: {
      summary: 'A PostgreSQL table: rows and position in one transaction',
      options: { properties: { ...OPTIONS, route: routeSchema(OPTIONS) }, required: ['connection'] },
      create({ schema, route, ...others }) {
        // Checked against the schemas above, which have the names and types of these options.
        const options = schema === undefined ? others : { ...others, schema: rowSchemaOf(schema) };
        if (route !== undefined) {
          const common = options as unknown as Omit<RoutedSinkOptions, 'route'>;
          return postgresSink({ ...common, route: routeOf(route) });
        }
        if (others['table'] === undefined) {
          const details = { option: 'table' };
          throw new EosError('EOS_CONFIG', 'table is missing, or route for several tables', { details });
        }
        return postgresSink(options as unknown as PostgresSinkOptions);
      },
    },
  },
};
