/** Places in a file of configuration, and errors that quote them. */
import { EosError, type EosErrorCode } from '@eos/core';

/** A part of the text, by index: `from` up to, without, `to`. */
export interface Place {
  readonly from: number;
  readonly to: number;
}

/** The file as it was read. */
export interface ConfigurationText {
  /** As the user named it. */
  readonly name: string;
  readonly text: string;
}

/** Something wrong at a place. */
export interface Problem {
  readonly message: string;
  readonly place: Place;
}

/** One error of all problems, in the order of the file, each with its line. */
export function problemsError(
  file: ConfigurationText,
  problems: readonly Problem[],
  { code = 'EOS_CONFIG', cause }: { readonly code?: EosErrorCode; readonly cause?: unknown } = {},
): EosError {
  const sorted = [...problems].sort((left, right) => left.place.from - right.place.from);
  const [first] = sorted;
  const line = first === undefined ? 1 : lineAt(file.text, first.place.from).number;
  return new EosError(code, sorted.map((problem) => quoted(file, problem)).join('\n\n'), {
    cause,
    details: { file: file.name, line },
  });
}

/**
 * The problem, where it is, and the line with a caret below it.
 * @example
 * pipeline.yaml:9:5: there is no option "tabel": did you mean "table"?
 *   9 |     tabel: visits
 *     |     ^^^^^
 */
export function quoted({ name, text }: ConfigurationText, { message, place }: Problem): string {
  const { number, start, line } = lineAt(text, place.from);
  const column = place.from - start;
  const length = Math.max(1, Math.min(place.to, start + line.length) - place.from);
  const shown = hideSecrets(line);
  const margin = String(number);
  // Tabs stay tabs, so that the caret stands below what it means.
  const indent = shown.slice(0, column).replaceAll(/[^\t]/g, ' ');
  return (
    `${name}:${number}:${column + 1}: ${message}\n  ${margin} | ${shown}\n` +
    `  ${' '.repeat(margin.length)} | ${indent}${'^'.repeat(length)}`
  );
}

interface Line {
  /** From 1. */
  readonly number: number;
  /** Index of its first character. */
  readonly start: number;
  readonly line: string;
}

function lineAt(text: string, index: number): Line {
  const before = text.slice(0, index);
  const start = before.lastIndexOf('\n') + 1;
  const end = text.indexOf('\n', start);
  const line = text.slice(start, end === -1 ? text.length : end).replace(/\r$/, '');
  return { number: before.split('\n').length, start, line };
}

/** A line may hold a secret that was not taken from the environment. As many stars, so that carets stay in place. */
function hideSecrets(line: string): string {
  return line
    .replaceAll(
      /(:\/\/[^\s:/@]*:)([^\s@]+)(?=@)/g,
      (_, before: string, secret: string) => before + stars(secret),
    )
    .replaceAll(
      /((?:password|passwd|passphrase|secret|token)(?:\s*:\s+|["']\s*:\s*))(\S.*)$/gi,
      (_, before: string, secret: string) =>
        before + (/^["']?\$\{[^}]*\}["']?$/.test(secret) ? secret : stars(secret)),
    );
}

function stars(secret: string): string {
  return secret.startsWith('${') && secret.endsWith('}') ? secret : '*'.repeat(secret.length);
}
