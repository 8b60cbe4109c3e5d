/** Finds packages where the configuration lies, as Node does for a module there, then beside this command. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

export type Imported =
  | { readonly kind: 'module'; readonly exports: Readonly<Record<string, unknown>>; readonly path: string }
  | { readonly kind: 'missing' };

/** @throws what the module throws when it is loaded */
export async function importPackage(name: string, folder: string): Promise<Imported> {
  const path = resolveFrom(join(folder, 'configuration.js'), name) ?? resolveFrom(import.meta.filename, name);
  return path === undefined ? { kind: 'missing' } : await importFile(path);
}

/** @throws what the module throws when it is loaded */
export async function importFile(path: string): Promise<Imported> {
  if (!existsSync(path)) return { kind: 'missing' };
  const exports: unknown = await import(pathToFileURL(path).href);
  return { kind: 'module', exports: isRecord(exports) ? exports : {}, path };
}

function resolveFrom(file: string, name: string): string | undefined {
  try {
    return createRequire(file).resolve(name);
  } catch {
    // Not there, or for `import` only, which `require.resolve` does not look at.
    return resolveForImport(dirname(file), name);
  }
}

/** The main module of a package whose exports are for `import` only. */
function resolveForImport(folder: string, name: string): string | undefined {
  const root = packageFolder(folder, name);
  if (root === undefined) return undefined;
  const { exports } = readManifest(root);
  const main = isRecord(exports) && '.' in exports ? exports['.'] : exports;
  const target = importTarget(main);
  return target === undefined ? undefined : resolve(root, target);
}

/** The folder of an installed package, looked for from `folder` up. */
export function packageFolder(folder: string, name: string): string | undefined {
  const found = join(folder, 'node_modules', name);
  if (existsSync(join(found, 'package.json'))) return found;
  const parent = dirname(folder);
  return parent === folder ? undefined : packageFolder(parent, name);
}

function importTarget(exports: unknown): string | undefined {
  if (typeof exports === 'string') return exports;
  if (!isRecord(exports)) return undefined;
  for (const [condition, target] of Object.entries(exports)) {
    const found = ['node', 'import', 'default'].includes(condition) ? importTarget(target) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A package.json; empty where it cannot be read. */
export function readManifest(folder: string): Readonly<Record<string, unknown>> {
  try {
    const manifest: unknown = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    return isRecord(manifest) ? manifest : {};
  } catch {
    return {};
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
