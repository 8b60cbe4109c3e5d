/**
 * What the log says of a deletion vector, and where its bytes are.
 * https://github.com/delta-io/delta/blob/master/PROTOCOL.md#deletion-vector-descriptor-schema
 */
import { EosError } from '@eos/core';
import type { DeletionVector } from '../log/actions.js';
import type { TablePlace } from '../log/paths.js';
import { damaged } from './damaged.js';
import { decodeZ85, encodeZ85 } from './z85.js';

/** Letters of a UUID in Z85; what stands before them is the name of a folder. */
const UUID_LETTERS = 20;

export type VectorPlace =
  | { readonly kind: 'inline'; readonly bytes: Uint8Array }
  /** `offset` is that of the size in front of the bytes. */
  | { readonly kind: 'file'; readonly key: string; readonly offset: number };

/**
 * @throws EOS_SCHEMA for a file outside of the table (a shallow clone), EOS_FORMAT for a descriptor that is none
 */
export function vectorPlace({ prefix }: TablePlace, vector: DeletionVector): VectorPlace {
  const { storageType, pathOrInlineDv, offset = 0, sizeInBytes } = vector;
  switch (storageType) {
    case 'i': {
      const padded = decodeZ85(pathOrInlineDv);
      if (sizeInBytes > padded.length || padded.length - sizeInBytes > 3)
        throw damaged(`it is said to have ${sizeInBytes} bytes, and has ${padded.length}`);
      return { kind: 'inline', bytes: padded.subarray(0, sizeInBytes) };
    }
    case 'u':
      return { kind: 'file', key: `${prefix}${vectorPath(pathOrInlineDv)}`, offset };
    case 'p': {
      const message = `the table has a deletion vector outside of its folder (a shallow clone?), which this package does not read: ${pathOrInlineDv}`;
      throw new EosError('EOS_SCHEMA', message, { details: { path: pathOrInlineDv } });
    }
  }
}

/** The path below the table of a file that is named by a UUID, with a folder in front where there is one. */
export function vectorPath(pathOrInlineDv: string): string {
  const letters = pathOrInlineDv.slice(-UUID_LETTERS);
  if (letters.length < UUID_LETTERS) throw damaged(`${pathOrInlineDv} is too short for the name of its file`);
  const folder = pathOrInlineDv.slice(0, -UUID_LETTERS);
  if (folder.includes('/') || folder === '.' || folder === '..')
    throw damaged(`${pathOrInlineDv} names no folder`);
  const name = `deletion_vector_${uuidOf(decodeZ85(letters))}.bin`;
  return folder === '' ? name : `${folder}/${name}`;
}

/** What a descriptor says for a file that is named by this UUID and lies beside the data. */
export function vectorName(uuid: string): string {
  return encodeZ85(Buffer.from(uuid.replaceAll('-', ''), 'hex'));
}

function uuidOf(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
