/** From what `use` says to a type of sink or source. */
import { resolve } from 'node:path';
import {
  EosError,
  eosPackage as core,
  messageOf,
  type EosPackage,
  type SinkType,
  type SourceType,
} from '@eos/core';
import { checkTypeStripping } from '../configuration/type-stripping.js';
import { didYouMean } from '../configuration/suggest.js';
import { importFile, importPackage, isRecord, type Imported } from './import-package.js';
import { installedConnectors } from './installed.js';

export type ConnectorKind = 'sinks' | 'sources';

/** The short names of the sources of `@eos/core`. */
const SHORT_NAMES = Object.keys(core.sources ?? {});

/**
 * Finds a source by `ndjson` (of `@eos/core`), `@someone/eos-redis`, `@someone/eos-redis#stream` or `./my-source.mjs`.
 * @throws EOS_CONFIG saying what is there
 */
export async function findSource(use: string, folder: string): Promise<SourceType> {
  const full = SHORT_NAMES.includes(use) ? `@eos/core#${use}` : use;
  const { name, type } = parts(full);
  return pick('source', name, type, (await loadPackage(name, folder)).sources ?? {});
}

/**
 * Finds a sink by `@someone/eos-redis`, `@someone/eos-redis#stream` or `./my-sink.mjs`.
 * @throws EOS_CONFIG saying what is there
 */
export async function findSink(use: string, folder: string): Promise<SinkType> {
  const { name, type } = parts(use);
  return pick('sink', name, type, (await loadPackage(name, folder)).sinks ?? {});
}

function parts(use: string): { readonly name: string; readonly type: string | undefined } {
  const [name = '', type] = use.split('#');
  return { name, type };
}

function pick<Type>(
  kind: 'sink' | 'source',
  name: string,
  type: string | undefined,
  types: Readonly<Record<string, Type>>,
): Type {
  const names = Object.keys(types);
  const wanted = type ?? (names.length === 1 ? names[0] : undefined);
  const found = wanted !== undefined && Object.hasOwn(types, wanted) ? types[wanted] : undefined;
  if (found !== undefined) return found;
  if (names.length === 0) throw configurationError(`${name} has no ${kind}s`);
  const all = names.map((one) => `${name}#${one}`).join(', ');
  if (type === undefined) throw configurationError(`${name} has several ${kind}s: use one of ${all}`);
  const hint = didYouMean(type, names);
  throw configurationError(
    `${name} has no ${kind} ${JSON.stringify(type)}${hint === '' ? `: use one of ${all}` : hint}`,
  );
}

/** @throws EOS_CONFIG where it is not installed, cannot be loaded, or has no `eosPackage` */
export async function loadPackage(name: string, folder: string): Promise<EosPackage> {
  const { exports, path } = await imported(name, folder);
  const exported = exports['eosPackage'];
  if (isEosPackage(exported)) return exported;
  throw configurationError(`${name} exports no eosPackage, and so has no sinks or sources (${path})`);
}

async function imported(name: string, folder: string): Promise<Extract<Imported, { kind: 'module' }>> {
  const isPath = name.startsWith('.') || name.startsWith('/');
  const path = resolve(folder, name);
  if (isPath) checkTypeStripping(name);
  let found: Imported;
  try {
    found = isPath ? await importFile(path) : await importPackage(name, folder);
  } catch (error) {
    throw configurationError(`${name} could not be loaded: ${messageOf(error)}`, error);
  }
  if (found.kind === 'module') return found;
  throw configurationError(isPath ? `there is no ${path}` : missing(name, folder));
}

function missing(name: string, folder: string): string {
  if (!/^(@[a-z0-9-~][a-z0-9-._~]*\/)?[a-z0-9-~][a-z0-9-._~]*$/.test(name))
    return `${name} is no name of a package`;
  const hint = didYouMean(name, [...SHORT_NAMES, ...installedConnectors(folder)]);
  return `the package ${name} is not installed${hint === '' ? `: npm install ${name}` : hint}`;
}

function isEosPackage(value: unknown): value is EosPackage {
  if (!isRecord(value)) return false;
  return [value['sinks'], value['sources']].every((types) => {
    if (types === undefined) return true;
    return isRecord(types) && Object.values(types).every(isConnectorType);
  });
}

function isConnectorType(type: unknown): boolean {
  if (!isRecord(type) || typeof type['create'] !== 'function') return false;
  return isRecord(type['options']) && isRecord(type['options']['properties']);
}

function configurationError(message: string, cause?: unknown): EosError {
  return new EosError('EOS_CONFIG', message, { cause, details: { option: 'use' } });
}
