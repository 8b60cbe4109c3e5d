/** The packages with sinks and sources that a project has: those it depends on, with the keyword `eos-connector`. */
import { dirname } from 'node:path';
import { isRecord, packageFolder, readManifest } from './import-package.js';

const KEYWORD = 'eos-connector';

/** Names, sorted; `@eos/core` is always among them. Nothing is loaded. */
export function installedConnectors(folder: string): readonly string[] {
  const found = new Set(['@eos/core']);
  for (let at = folder; ; at = dirname(at)) {
    for (const name of dependenciesOf(at)) {
      const root = packageFolder(at, name);
      if (root !== undefined && keywordsOf(root).includes(KEYWORD)) found.add(name);
    }
    if (dirname(at) === at) return [...found].sort();
  }
}

function dependenciesOf(folder: string): string[] {
  const manifest = readManifest(folder);
  return ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((group) => {
    const listed = manifest[group];
    return isRecord(listed) ? Object.keys(listed) : [];
  });
}

function keywordsOf(folder: string): readonly unknown[] {
  const { keywords } = readManifest(folder);
  return Array.isArray(keywords) ? keywords : [];
}
