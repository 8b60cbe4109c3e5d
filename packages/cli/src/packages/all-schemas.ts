/** The JSON schema of a whole file of configuration, with the options of what is installed. */
import { type JsonValue, type ObjectSchema, type OptionSchema } from '@eos/core';
import { CONNECTOR, PIPELINE_SCHEMA } from '../configuration/pipeline-schema.js';
import { loadPackage, type ConnectorKind } from './connectors.js';
import { installedConnectors } from './installed.js';

interface Described {
  readonly uses: readonly string[];
  readonly summary: string;
  readonly options: ObjectSchema;
}

/**
 * @param folder where packages are looked for
 * @throws EOS_CONFIG for a package that says it has connectors and has not
 */
export async function wholeSchema(folder: string): Promise<JsonValue> {
  const names = installedConnectors(folder);
  const packages = await Promise.all(
    names.map(async (name) => ({ name, found: await loadPackage(name, folder) })),
  );
  const connectors = (kind: ConnectorKind) => {
    const described = packages.flatMap(({ name, found }) => describe(name, kind, found[kind] ?? {}));
    // Another package, or a module of one's own, has options that nobody knows here.
    const known = described.flatMap(({ uses }) => uses);
    return { anyOf: [...described.map(connectorSchema), { ...CONNECTOR, not: useOf(known) }] };
  };
  const { properties = {}, ...others } = PIPELINE_SCHEMA;
  const { source, sinks, ...plain } = properties;
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'A pipeline of Eos',
    ...others,
    properties: {
      ...plain,
      source: { ...described(source), ...connectors('sources') },
      sinks: { ...sinks, additionalProperties: connectors('sinks') },
    },
  };
  // Made of JSON only; what is undefined goes.
  return JSON.parse(JSON.stringify(schema)) as JsonValue;
}

function described(schema: OptionSchema | undefined): OptionSchema {
  return schema?.description === undefined ? {} : { description: schema.description };
}

function describe(
  name: string,
  kind: ConnectorKind,
  types: Readonly<Record<string, Omit<Described, 'uses'>>>,
): Described[] {
  const isOnly = Object.keys(types).length === 1;
  return Object.entries(types).map(([type, { summary, options }]) => ({
    uses: [
      ...(name === '@eos/core' && kind === 'sources' ? [type] : []),
      ...(isOnly ? [name] : []),
      `${name}#${type}`,
    ],
    summary,
    options,
  }));
}

function connectorSchema({ uses, summary, options }: Described): OptionSchema {
  return {
    type: 'object',
    description: summary,
    properties: { use: { enum: uses, description: summary }, ...options.properties },
    required: ['use', ...(options.required ?? [])],
    additionalProperties: false,
  };
}

function useOf(uses: readonly string[]): OptionSchema {
  return { properties: { use: { enum: uses } }, required: ['use'] };
}
