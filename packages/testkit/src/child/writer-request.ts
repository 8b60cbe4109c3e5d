import type { CanonicalValue } from '@eos/core';
import type { WriterScript } from './writer-script.js';

/** What the parent asks of the child, as its one argument. */
export interface WriterRequest {
  readonly module: string;
  readonly options: CanonicalValue;
  readonly script: WriterScript;
}

/** @throws TypeError where the text is none: the child was not started by `spawnWriter` */
export function parseRequest(text: string): WriterRequest {
  const value: unknown = text === '' ? undefined : JSON.parse(text);
  if (!isRequest(value)) throw new TypeError('this program is started by spawnWriter');
  return value;
}

function isRequest(value: unknown): value is WriterRequest {
  return (
    typeof value === 'object' &&
    value !== null &&
    'module' in value &&
    'options' in value &&
    'script' in value
  );
}
