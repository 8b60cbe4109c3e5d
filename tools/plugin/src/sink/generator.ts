/**
 * `npx nx g @eos/plugin:sink redis`: a package for a new sink, with the same few files as every other one. What it makes is a whole sink on
 * a folder of files, which passes the conformance suite: its author replaces one file after the other, and always has tests that pass.
 */
import { fileURLToPath } from 'node:url';
import { formatFiles, generateFiles, names, updateJson, type Tree } from '@nx/devkit';

export interface SinkGeneratorOptions {
  /** What the sink writes to, in lower case with hyphens: the package is `@eos/<name>`, the function `<name>Sink`. */
  readonly name: string;
}

// From `dist` as from `src`.
const TEMPLATES = fileURLToPath(new URL('../../src/sink/files', import.meta.url));

/** @throws where the name is not lower case with hyphens, or the package is there already */
export default async function generateSink(tree: Tree, { name }: SinkGeneratorOptions): Promise<void> {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name))
    throw new Error(`the name of a sink is lower case with hyphens, such as big-query, not ${name}`);
  const folder = `packages/${name}`;
  if (tree.exists(`${folder}/package.json`)) throw new Error(`${folder} is there already`);
  const { className, propertyName } = names(name);
  generateFiles(tree, TEMPLATES, folder, { name, className, propertyName });
  updateJson(tree, 'tsconfig.json', (root: RootConfiguration) => withReference(root, folder));
  await formatFiles(tree);
}

interface RootConfiguration {
  readonly references?: readonly { readonly path: string }[];
}

/** Packages come before tools. */
function withReference(root: RootConfiguration, path: string): RootConfiguration {
  const references = root.references ?? [];
  const isTool = (reference: { readonly path: string }) => reference.path.startsWith('tools/');
  return {
    ...root,
    references: [
      ...references.filter((reference) => !isTool(reference)),
      { path },
      ...references.filter(isTool),
    ],
  };
}
