/**
 * What a package exports so that its sinks and sources can be named in a file of configuration: `use: '@someone/eos-redis'`. Add the
 * keyword `eos-connector` to its package.json, and `eos schema` lists it too.
 * @example
 * export const eosPackage: EosPackage = {
 *   sinks: { redis: { summary: 'A Redis stream', options: { properties: { url: { type: 'string' } } }, create: redisSinkOf } },
 * };
 */
import type { JsonValue } from './schema.js';
import type { SinkConnector } from './sink.js';
import type { Source } from './source.js';

/** The export `eosPackage` of a package. */
export interface EosPackage {
  /** By name: `use: '<package>#<name>'`, or `use: '<package>'` where there is one only. */
  readonly sinks?: Readonly<Record<string, SinkType>>;
  readonly sources?: Readonly<Record<string, SourceType>>;
}

export interface SinkType extends ConnectorType {
  /** @throws EOS_CONFIG with the option's name in `details.option`: the line of the file is then quoted */
  create(options: ConfiguredOptions, context: ConfigurationContext): SinkConnector<Record<string, unknown>>;
}

export interface SourceType extends ConnectorType {
  /** @throws EOS_CONFIG with the option's name in `details.option`: the line of the file is then quoted */
  create(options: ConfiguredOptions, context: ConfigurationContext): Source<unknown>;
}

interface ConnectorType {
  /** One line for people. */
  readonly summary: string;
  /** The options, without `use`. Checked before `create`: each has one of the types it may have, and none is unknown. */
  readonly options: ObjectSchema;
}

/** Options as the file has them: checked against the schema, texts from the environment put in. */
export type ConfiguredOptions = Readonly<Record<string, JsonValue>>;

export interface ConfigurationContext {
  /** The folder of the file of configuration, absolute: relative paths start there. */
  readonly folder: string;
}

/**
 * The part of JSON Schema (2020-12) that options are described in and checked against. Editors show `description` and `default`.
 * What it cannot say, `create` checks.
 */
export interface OptionSchema {
  readonly description?: string;
  readonly default?: JsonValue;
  readonly examples?: readonly JsonValue[];
  readonly type?: OptionKind | readonly OptionKind[];
  readonly enum?: readonly JsonValue[];
  readonly const?: JsonValue;
  readonly anyOf?: readonly OptionSchema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly pattern?: string;
  readonly items?: OptionSchema;
  readonly minItems?: number;
  readonly properties?: Readonly<Record<string, OptionSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | OptionSchema;
  readonly minProperties?: number;
  readonly maxProperties?: number;
}

export type OptionKind = 'string' | 'number' | 'integer' | 'boolean' | 'object' | 'array' | 'null';

/** The options of a sink or source; one that is not in `properties` is an error. */
export interface ObjectSchema {
  readonly properties: Readonly<Record<string, OptionSchema>>;
  readonly required?: readonly string[];
}
