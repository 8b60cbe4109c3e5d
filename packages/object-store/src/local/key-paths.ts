/**
 * Keys as paths. What other programs read keeps its name (`date=2026-01-31/part-0.parquet`); the rest is escaped, so that every key is
 * one file, no key leaves the root, and `a` and `a/b` can both be there: the names of files and of folders never meet.
 */
import { sep } from 'node:path';

/** Below the root: what is not an object. No key is mapped there. */
export const INTERNAL_FOLDER = '.eos-store';

/** Files without an extension that other programs look for by this very name. */
const KNOWN_FILES: ReadonlySet<string> = new Set([
  '_last_checkpoint',
  '_SUCCESS',
  '_metadata',
  '_common_metadata',
]);

type SegmentKind = 'file' | 'folder';

/** A name that a file keeps and a folder does not: with an extension, and no `=` as in the name of a partition's folder. */
function looksLikeFile(segment: string): boolean {
  return KNOWN_FILES.has(segment) || (/\.[A-Za-z][A-Za-z0-9]*$/.test(segment) && !segment.includes('='));
}

/** The path of a key below the root. The key was checked. */
export function pathOfKey(key: string): string {
  const segments = key.split('/');
  const last = segments.length - 1;
  return segments.map((segment, index) => nameOf(segment, index === last ? 'file' : 'folder')).join(sep);
}

function nameOf(segment: string, kind: SegmentKind): string {
  const escaped = escape(segment);
  if (looksLikeFile(segment) === (kind === 'file')) return escaped;
  return `${escaped}${kind === 'file' ? '~f' : '~d'}`;
}

/** Names that keep themselves, such as those of a log, of which a folder may have a hundred thousand. */
const NUMBERED_FILE = /^\d[\dA-Za-z_-]*(?:\.[A-Za-z][A-Za-z0-9]*)+$/;

/** The segment that a name stands for, or undefined for a name that no key has. */
export function segmentOf(name: string, kind: SegmentKind): string | undefined {
  if (kind === 'file' && NUMBERED_FILE.test(name)) return name;
  const escaped = name.replace(/~[fd]$/, '');
  const segment = escaped.replaceAll(/~([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return segment !== '' && nameOf(segment, kind) === name ? segment : undefined;
}

/** `~` is the escape; the others are what Windows cannot have in a name. */
function escape(segment: string): string {
  const escaped = segment.replaceAll(/[<>:"|?*\\~]/g, escapeCharacter).replace(/[. ]$/, escapeCharacter);
  const isTaken = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i.test(segment) || segment === INTERNAL_FOLDER;
  return isTaken ? escapeCharacter(escaped.charAt(0)) + escaped.slice(1) : escaped;
}

function escapeCharacter(character: string): string {
  return `~${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}
