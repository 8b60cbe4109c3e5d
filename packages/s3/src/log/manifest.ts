/** Manifests: lists of data files in objects of their own, which a base refers to. */
import { createHash } from 'node:crypto';
import { canonicalText } from '@eos/core';
import type { DataFile } from '../files/data-files.js';
import type { ManifestReference } from './entry.js';
import { malformed } from './fields.js';
import { fileValue, readFile } from './file-text.js';
import type { LiveFile } from './live-files.js';
import type { TablePlace } from './read.js';

/** The text of a manifest: one file a line. */
export function manifestText(files: readonly DataFile[]): string {
  return files.map((file) => `${canonicalText(fileValue(file))}\n`).join('');
}

/**
 * The files of a manifest, in order. Memory: the manifest.
 * @throws EOS_FORMAT where it is missing, or another one
 */
export async function* readManifest(
  { store, prefix }: TablePlace,
  manifest: ManifestReference,
  seq: bigint,
): AsyncGenerator<LiveFile> {
  const key = prefix + manifest.path;
  const found = await store.get(key);
  if (found === undefined) throw malformed(key, 'is missing');
  if (createHash('sha256').update(found.body).digest('hex') !== manifest.sha256)
    throw malformed(key, 'has another digest than the log says');
  for (const line of Buffer.from(found.body).toString().split('\n').slice(0, -1)) {
    const value: unknown = JSON.parse(line);
    yield { ...readFile(value, key), seq };
  }
}
