/** What a file of configuration holds beside the options of sinks and sources. */
import { COLUMNS_SCHEMA, GUARANTEES, type OptionSchema, type PipelineOptions } from '@eos/core';

/** `use` and, beside it, the options of what is used. */
export const CONNECTOR: OptionSchema = {
  type: 'object',
  required: ['use'],
  properties: {
    use: {
      type: 'string',
      minLength: 1,
      description:
        "A package, such as '@eos/postgres', with #name where it has several; a module (./sink.mjs); or a source of @eos/core.",
    },
  },
};

/** The type of a value that may be Infinity in a program, which YAML writes `.inf`. */
function count(least: number, description: string): OptionSchema {
  return { type: 'number', minimum: least, description };
}

/** An option of a pipeline without a line here is refused in files of configuration. */
const PIPELINE_OPTIONS = {
  id: {
    type: 'string',
    pattern: '^[A-Za-z0-9._-]{1,128}$',
    description:
      'Names the positions at the destination, with the name of the sink. Never reuse it for other work.',
    examples: ['visits'],
  },
  source: { ...CONNECTOR, description: 'Where the rows come from.' },
  transform: {
    type: 'string',
    minLength: 1,
    description:
      'A module whose default export (or #name) maps a batch, relative to this file: ./transform.mjs',
  },
  changelog: {
    enum: ['append', 'upsert', 'retract'],
    description: 'What the transform produces. Default: what the source does.',
  },
  sinks: {
    type: 'object',
    minProperties: 1,
    additionalProperties: CONNECTOR,
    description: 'Where the rows go, by name.',
  },
  trigger: {
    type: 'object',
    description: 'When a transaction is committed: whichever comes first.',
    additionalProperties: false,
    properties: {
      rows: { ...count(1, 'Source rows.'), default: 10_000 },
      bytes: { ...count(1, 'Bytes of source rows.'), default: 8 * 2 ** 20 },
      intervalMs: { ...count(0, "Milliseconds since the transaction's first row."), default: 1_000 },
    },
  },
  retry: {
    type: 'object',
    description: 'How failures that may pass are tried again.',
    additionalProperties: false,
    properties: {
      attempts: count(1, 'Attempts in a row without a commit.'),
      initialMs: count(0, 'The first pause, in milliseconds.'),
      maxMs: count(0, 'The longest pause, in milliseconds.'),
    },
  },
  guarantee: {
    enum: [...GUARANTEES],
    default: 'exactly-once',
    description: 'The least that the pipeline must promise: else it does not start.',
  },
  stopTimeoutMs: {
    ...count(0, 'How long a stop may wait for the destination, in milliseconds.'),
    default: 10_000,
  },
} as const satisfies Record<keyof PipelineOptions<unknown>, OptionSchema>;

export const PIPELINE_SCHEMA: OptionSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['id', 'source', 'sinks'],
  properties: {
    $schema: { type: 'string', description: 'Where an editor finds the schema of this file.' },
    ...PIPELINE_OPTIONS,
    columns: {
      ...COLUMNS_SCHEMA,
      description:
        'The columns of the rows, as schema of the source and, where there is no transform, of every sink that has none of its own. ' +
        (COLUMNS_SCHEMA.description ?? ''),
    },
  },
};
