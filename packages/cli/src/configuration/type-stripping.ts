/** Whether this Node can run a module of TypeScript. */
import { EosError } from '@eos/core';

/** @throws EOS_CONFIG naming what to do, where `path` is a module of TypeScript and Node cannot run one */
export function checkTypeStripping(path: string): void {
  const canStrip = 'typescript' in process.features && process.features.typescript !== false;
  if (canStrip || !/\.m?ts$/i.test(path)) return;
  throw new EosError(
    'EOS_CONFIG',
    `${path} is TypeScript, which Node runs from 22.18 and 23.6 on, and this is ${process.versions.node}: use a newer Node, or ` +
      'compile it to .js and name that',
  );
}
