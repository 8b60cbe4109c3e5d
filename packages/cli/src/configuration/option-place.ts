/** Where an option stands. */
import type { ConfigurationNode } from './configuration-tree.js';
import type { Place } from './text-place.js';

/** The value of the option, or the name of the nearest one around it that is in the file. */
export function placeOfOption(tree: ConfigurationNode, path: readonly string[]): Place | undefined {
  let node = tree;
  let around: Place | undefined;
  for (const name of path) {
    const entry = node.kind === 'mapping' ? node.entries.get(name) : undefined;
    if (entry === undefined) return around;
    around = entry.key;
    node = entry.value;
  }
  return node.kind === 'scalar' ? node.place : around;
}
