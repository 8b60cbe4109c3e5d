/** From the file that a command is given to the options of a pipeline. */
import { extname, resolve } from 'node:path';
import { EosError, type PipelineOptions } from '@eos/core';
import type { CommandIo } from '../command.js';
import { loadFile } from './load-file.js';
import { loadModule } from './load-module.js';

/** A row between a source and a sink that are known by their options only; the sink checks each. */
export type ConfiguredRow = Record<string, unknown>;

export interface LoadedPipeline {
  /** What `pipeline` takes. */
  readonly options: PipelineOptions<ConfiguredRow>;
  /** As the user named it. */
  readonly name: string;
  /** Takes values of the environment out of a text that is to be printed. */
  readonly hide: (text: string) => string;
  /** An error that names an option of the file, with its line; every other error with values of the environment taken out. */
  readonly explain: (error: unknown) => unknown;
}

const LOADERS: Readonly<Record<string, typeof loadFile>> = {
  '.yaml': loadFile,
  '.yml': loadFile,
  '.json': loadFile,
  '.js': loadModule,
  '.mjs': loadModule,
  '.ts': loadModule,
  '.mts': loadModule,
};

/**
 * Reads and checks a configuration; connects to nothing.
 * @throws EOS_CONFIG quoting the lines at fault
 */
export async function loadPipeline(
  name: string,
  io: Pick<CommandIo, 'env' | 'folder'>,
): Promise<LoadedPipeline> {
  const loader = LOADERS[extname(name).toLowerCase()];
  if (loader !== undefined) return await loader({ name, path: resolve(io.folder, name), env: io.env });
  const known = Object.keys(LOADERS).join(', ');
  throw new EosError('EOS_CONFIG', `${name} must end in one of ${known}`);
}
