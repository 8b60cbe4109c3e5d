/** Pipelines in YAML or JSON. */
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import {
  EosError,
  isEosError,
  messageOf,
  type ConfigurationContext,
  type ConfiguredOptions,
  type JsonValue,
  type ObjectSchema,
  type PipelineOptions,
  type SinkConnector,
  type Source,
} from '@eos/core';
import { findSink, findSource } from '../packages/connectors.js';
import { check, TOP } from './check.js';
import { parseConfiguration, type ConfigurationNode, type MappingNode } from './configuration-tree.js';
import type { ConfiguredRow, LoadedPipeline } from './load.js';
import { placeOfOption } from './option-place.js';
import { PIPELINE_SCHEMA } from './pipeline-schema.js';
import { newSecrets } from './secrets.js';
import { problemsError, type ConfigurationText, type Problem } from './text-place.js';
import { loadTransform } from './transform-module.js';

export interface FileRequest {
  /** As the user named it, and where it is. */
  readonly name: string;
  readonly path: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** @throws EOS_CONFIG with every problem that was found, each with its line */
export async function loadFile({ name, path, env }: FileRequest): Promise<LoadedPipeline> {
  const file = { name, text: await textOf(name, path) };
  const secrets = newSecrets();
  const tree = parseConfiguration(file, { env, onUse: secrets.add });
  const configuration = new Configuration(file, tree, dirname(path), secrets.hide);
  const explain = (error: unknown) => configuration.explain(error);
  return { options: await configuration.read(), name, hide: secrets.hide, explain };
}

async function textOf(name: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new EosError('EOS_CONFIG', `${basename(name)} could not be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

interface ConnectorType<Made> {
  readonly options: ObjectSchema;
  create(options: ConfiguredOptions, context: ConfigurationContext): Made;
}

class Configuration {
  readonly #problems: Problem[] = [];

  constructor(
    private readonly file: ConfigurationText,
    private readonly tree: ConfigurationNode,
    private readonly folder: string,
    private readonly hide: (text: string) => string,
  ) {}

  async read(): Promise<PipelineOptions<ConfiguredRow>> {
    const top = check(this.tree, PIPELINE_SCHEMA, TOP, this.#problems);
    const { columns: checked, transform, ...others } = without(top, ['source', 'sinks', '$schema']);
    const columns = this.#problems.length === 0 ? checked : undefined;
    const source = await this.#source(columns);
    const sinks = await this.#sinks(transform === undefined ? columns : undefined);
    const mapped = await this.#collect(['transform'], () => loadTransform(transform, this.folder));
    if (this.#problems.length > 0 || source === undefined) throw problemsError(this.file, this.#problems);
    // Checked against PIPELINE_SCHEMA, which has the names and types of PipelineOptions.
    const options = others as unknown as Omit<
      PipelineOptions<ConfiguredRow>,
      'source' | 'sinks' | 'transform'
    >;
    return { ...options, source, sinks, ...(mapped === undefined ? {} : { transform: mapped }) };
  }

  /** @returns the error with its line, where it names an option of this file */
  explain(error: unknown): unknown {
    if (!isEosError(error)) return hidden(error, this.hide);
    const { code, details, retryable, outcome } = error;
    const message = this.hide(error.message);
    const path = optionPath(details);
    if (code === 'EOS_CONFIG' || code === 'EOS_GUARANTEE' || code === 'EOS_CHANGELOG_MODE') {
      const place = path === undefined ? undefined : placeOfOption(this.tree, path);
      if (place !== undefined) return problemsError(this.file, [{ message, place }], { code, cause: error });
    }
    return new EosError(code, message, { retryable, outcome, details, cause: error });
  }

  async #source(columns: JsonValue | undefined): Promise<Source<ConfiguredRow> | undefined> {
    const node = memberOf(this.tree, 'source');
    if (node === undefined) return undefined;
    const made = await this.#connector(findSource, ['source'], node, columns);
    // A row is what the file holds, whose columns nobody has declared here: the sink checks each.
    return made as Source<ConfiguredRow> | undefined;
  }

  async #sinks(columns: JsonValue | undefined): Promise<Record<string, SinkConnector<ConfiguredRow>>> {
    const nodes = memberOf(this.tree, 'sinks')?.entries ?? new Map<string, never>();
    const sinks: Record<string, SinkConnector<ConfiguredRow>> = {};
    for (const [name, { value }] of nodes) {
      if (value.kind !== 'mapping') continue;
      const sink = await this.#connector(findSink, ['sinks', name], value, columns);
      if (sink !== undefined) sinks[name] = sink;
    }
    return sinks;
  }

  async #connector<Made>(
    find: (use: string, folder: string) => Promise<ConnectorType<Made>>,
    path: readonly string[],
    node: MappingNode,
    columns: JsonValue | undefined,
  ): Promise<Made | undefined> {
    const use = node.entries.get('use')?.value;
    if (use?.kind !== 'scalar' || typeof use.value !== 'string' || use.value === '') return undefined;
    const name = use.value;
    return await this.#collect([...path], async () => {
      const type = await find(name, this.folder);
      const before = this.#problems.length;
      const options = this.#options(node, type.options, path.join('.'), columns);
      return this.#problems.length > before ? undefined : type.create(options, { folder: this.folder });
    });
  }

  #options(node: MappingNode, schema: ObjectSchema, name: string, columns?: JsonValue): ConfiguredOptions {
    const properties = { use: { type: 'string' as const }, ...schema.properties };
    const required = schema.required ?? [];
    const described = { type: 'object' as const, properties, required, additionalProperties: false };
    const options = without(check(node, described, name, this.#problems), ['use']);
    const takesColumns = columns !== undefined && 'schema' in schema.properties && !('schema' in options);
    return takesColumns ? { ...options, schema: columns } : options;
  }

  /** What `work` makes; undefined where it found fault with the configuration, which is then among the problems. */
  async #collect<T>(path: readonly string[], work: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      const option = isEosError(error) ? optionPath(error.details) : undefined;
      const place = placeOfOption(this.tree, [...path, ...(option ?? [])]) ?? this.tree.place;
      this.#problems.push({ message: this.hide(messageOf(error)), place });
      return undefined;
    }
  }
}

/** An error that nobody foresaw says where it came from, but not what was in the environment. */
function hidden(error: unknown, hide: (text: string) => string): Error {
  const shown = new Error(hide(messageOf(error)));
  if (error instanceof Error && error.stack !== undefined) shown.stack = hide(error.stack);
  return shown;
}

/** Which option an error is about, from the top of what it was made from. */
function optionPath(details: Readonly<Record<string, unknown>>): readonly string[] | undefined {
  const { option, sink } = details;
  if (typeof option === 'string') return option.split('.');
  return typeof sink === 'string' ? ['sinks', sink] : undefined;
}

function memberOf(node: ConfigurationNode, name: string): MappingNode | undefined {
  const value = node.kind === 'mapping' ? node.entries.get(name)?.value : undefined;
  return value?.kind === 'mapping' ? value : undefined;
}

/** The members of an object, but these. */
function without(value: JsonValue, names: readonly string[]): Readonly<Record<string, JsonValue>> {
  const members = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return Object.fromEntries(members.filter(([name]) => !names.includes(name)));
}
