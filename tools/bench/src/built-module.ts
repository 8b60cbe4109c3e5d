/** Threads and child processes run what was built: Node 20 cannot read TypeScript. */
import { existsSync } from 'node:fs';

/** Finds a module of this package below `dist`, also for a test that runs from the sources. */
export function builtModule(path: string): URL {
  const found = new URL(path, import.meta.url);
  if (existsSync(found)) return found;
  return new URL(`../dist/${path}`, import.meta.url);
}
