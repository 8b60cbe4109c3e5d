/** The transform of a pipeline, from the module that the configuration names. */
import { extname, resolve } from 'node:path';
import { EosError, messageOf, type JsonValue, type PipelineOptions } from '@eos/core';
import { importFile } from '../packages/import-package.js';
import type { ConfiguredRow } from './load.js';
import { checkTypeStripping } from './type-stripping.js';

type Transform = NonNullable<PipelineOptions<ConfiguredRow>['transform']>;

/**
 * The default export of `./transform.mjs`, or `rows` of `./transform.mjs#rows`.
 * @throws EOS_CONFIG
 */
export async function loadTransform(
  transform: JsonValue | undefined,
  folder: string,
): Promise<Transform | undefined> {
  if (typeof transform !== 'string' || transform === '') return undefined;
  const [path = '', name = 'default'] = transform.split('#');
  checkTypeStripping(path);
  const found = await importFile(resolve(folder, path)).catch((error: unknown) => {
    throw new EosError('EOS_CONFIG', `the transform could not be loaded: ${messageOf(error)}`, {
      cause: error,
    });
  });
  if (found.kind === 'missing') {
    const hint = extname(path) === '' ? '; its name needs its ending, such as .mjs' : '';
    throw new EosError('EOS_CONFIG', `there is no module ${resolve(folder, path)}${hint}`);
  }
  const exported = found.exports[name];
  if (isTransform(exported)) return exported;
  const what = name === 'default' ? 'default export' : `export ${JSON.stringify(name)}`;
  throw new EosError(
    'EOS_CONFIG',
    `the transform has no function as its ${what}: export default (batch) => batch.rows`,
  );
}

/** What the function takes and returns is checked when it is called. */
function isTransform(value: unknown): value is Transform {
  return typeof value === 'function';
}
