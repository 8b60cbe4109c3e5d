/** Pipelines as modules: for what a file of configuration cannot say. */
import { EosError, isEosError, messageOf, type PipelineOptions } from '@eos/core';
import { importFile, isRecord } from '../packages/import-package.js';
import type { ConfiguredRow, LoadedPipeline } from './load.js';
import type { FileRequest } from './load-file.js';
import { checkTypeStripping } from './type-stripping.js';

/** @throws EOS_CONFIG where the module has no options of a pipeline as its default export */
export async function loadModule({ name, path }: FileRequest): Promise<LoadedPipeline> {
  checkTypeStripping(name);
  const found = await importFile(path).catch((error: unknown) => {
    // What the module's own calls have to say about their options needs nothing added.
    if (isEosError(error)) throw error;
    throw new EosError('EOS_CONFIG', `${name} could not be loaded: ${messageOf(error)}`, { cause: error });
  });
  if (found.kind === 'missing') throw new EosError('EOS_CONFIG', `there is no ${path}`);
  const options = found.exports['default'];
  if (isOptions(options)) return { options, name, hide: (text) => text, explain: (error) => error };
  const isPipeline = isRecord(options) && typeof options['run'] === 'function';
  const advice = isPipeline ? ', not the pipeline that is made of them' : '';
  throw new EosError(
    'EOS_CONFIG',
    `${name} must export default the options of a pipeline (id, source, sinks)${advice}: export default definePipeline({ … })`,
  );
}

/** What they hold is checked by `pipeline`. */
function isOptions(value: unknown): value is PipelineOptions<ConfiguredRow> {
  return isRecord(value) && ['id', 'source', 'sinks'].every((name) => name in value);
}
