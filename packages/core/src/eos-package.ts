/** The sources of this package, for files of configuration: `use: ndjson`. */
import { isAbsolute, resolve } from 'node:path';
import { COLUMNS_SCHEMA, rowSchemaOf } from './column-text.js';
import type {
  ConfigurationContext,
  ConfiguredOptions,
  EosPackage,
  OptionSchema,
  SourceType,
} from './connector-package.js';
import type { RowSchema } from './schema.js';
import type { Source } from './source.js';
import { csvSource, type CsvSourceOptions } from './sources/csv-source.js';
import type { CsvOptions } from './sources/csv.js';
import type { FileSourceOptions } from './sources/file-source.js';
import { jsonArraySource, ndjsonSource } from './sources/json-sources.js';
import type { RecordOptions } from './sources/record-options.js';
import { standardInput, type CsvInputOptions, type NdjsonInputOptions } from './sources/standard-input.js';

const TEXTS: OptionSchema = {
  anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' }, minItems: 1 }],
};
const BYTES: OptionSchema = { type: 'integer', minimum: 1 };

const RECORD_OPTIONS = {
  op: {
    type: 'string',
    description: 'The member or column that holds +I, -U, +U or -D. Absent: every row is +I.',
  },
  changelog: {
    enum: ['append', 'upsert', 'retract'],
    description: 'Which changes the source carries. Default: retract with op, else append.',
  },
  growing: {
    type: 'boolean',
    default: false,
    description:
      'Whether the text is still being written: a last record without a newline is left for later.',
  },
  maxRecordBytes: { ...BYTES, default: 2 ** 26, description: 'The largest record, in bytes.' },
  chunkBytes: { ...BYTES, default: 2 ** 20, description: 'How much is read at once, in bytes.' },
} as const satisfies Record<keyof RecordOptions, OptionSchema>;

const FILE_OPTIONS = {
  path: {
    ...TEXTS,
    description:
      'A file, a folder or a list of them, relative to this file. Names that begin with . or _ are left out of a folder.',
  },
  root: { type: 'string', description: 'The folder below which files are named, where path names several.' },
  extension: { ...TEXTS, description: "How the names of a folder's files end, such as .ndjson." },
  compression: { enum: ['gzip', 'none'], description: 'Default: gzip for a name that ends in .gz.' },
  verify: {
    enum: ['digests', 'full'],
    default: 'digests',
    description: 'How a file is known again: by its first and last 4 KiB, or by all in front of the offset.',
  },
  ...RECORD_OPTIONS,
} as const satisfies Record<keyof FileSourceOptions, OptionSchema>;

const CSV_OPTIONS = {
  delimiter: { type: 'string', default: ',', description: 'One ASCII character.' },
  quote: { type: 'string', default: '"', description: 'One ASCII character, or empty: nothing is quoted.' },
  header: {
    type: 'boolean',
    description: 'Whether the first record names the columns. Default: unless columns is given.',
  },
  columns: {
    type: 'array',
    items: { type: 'string' },
    minItems: 1,
    description: 'Names of the columns, in order.',
  },
} as const satisfies Record<keyof CsvOptions, OptionSchema>;

const schema = COLUMNS_SCHEMA;

type FileOptions = FileSourceOptions & CsvSourceOptions;

/** A source of files: paths start at the configuration's folder. */
function fileType(
  summary: string,
  properties: Readonly<Record<string, OptionSchema>>,
  make: (options: FileOptions, schema: RowSchema | undefined) => Source<unknown>,
): SourceType {
  return {
    summary,
    options: { properties: { ...properties, schema }, required: ['path'] },
    create(options, context) {
      const { schema: columns, path, root, ...others } = options;
      // Checked against the schemas above, which have the names and types of FileSourceOptions.
      const rest = others as Omit<FileOptions, 'path' | 'root'>;
      const paths = typeof path === 'string' ? inFolder(context, path) : listed(path, context);
      const below = typeof root === 'string' ? { root: inFolder(context, root) } : {};
      return make({ ...rest, ...below, path: paths }, schemaOf(columns));
    },
  };
}

function listed(paths: ConfiguredOptions[string] | undefined, context: ConfigurationContext): string[] {
  return Array.isArray(paths) ? paths.map((path) => inFolder(context, String(path))) : [];
}

function inFolder({ folder }: ConfigurationContext, path: string): string {
  // An empty path is an error that the source tells.
  return path === '' || isAbsolute(path) ? path : resolve(folder, path);
}

function schemaOf(columns: ConfiguredOptions[string] | undefined): RowSchema | undefined {
  return columns === undefined ? undefined : rowSchemaOf(columns);
}

const standardInputType: SourceType = {
  summary: 'Standard input, which cannot be read again: needs guarantee: at-most-once',
  options: {
    properties: {
      format: { enum: ['ndjson', 'csv'], description: 'What is read.' },
      ...RECORD_OPTIONS,
      ...CSV_OPTIONS,
      schema,
    },
    required: ['format'],
  },
  create({ schema: columns, ...others }) {
    // Checked against the schemas above, which have the names and types of these options.
    const options = others as unknown as NdjsonInputOptions | CsvInputOptions;
    const rows = schemaOf(columns);
    if (rows !== undefined) return standardInput({ ...options, schema: rows });
    return options.format === 'csv' ? standardInput(options) : standardInput(options);
  },
};

/** The sources of `@eos/core` by name. */
export const eosPackage: EosPackage = {
  sources: {
    ndjson: fileType('Files of newline-delimited JSON', FILE_OPTIONS, (options, rows) =>
      rows === undefined ? ndjsonSource(options) : ndjsonSource({ ...options, schema: rows }),
    ),
    'json-array': fileType('Files that are one JSON array each', FILE_OPTIONS, (options, rows) =>
      rows === undefined ? jsonArraySource(options) : jsonArraySource({ ...options, schema: rows }),
    ),
    csv: fileType('Files of CSV', { ...FILE_OPTIONS, ...CSV_OPTIONS }, (options, rows) =>
      rows === undefined ? csvSource(options) : csvSource({ ...options, schema: rows }),
    ),
    stdin: standardInputType,
  },
};
