import { EosError } from './errors.js';

/**
 * Which changes a stream may carry, or a sink can hold.
 * - `append`: `+I` only.
 * - `upsert`: by key; `+I`/`+U` replace the row of their key, `-D` removes it and may carry key columns only; `-U` may be absent.
 * - `retract`: all four ops, each with the whole row, so that every change can be undone without a key.
 */
export type ChangelogMode = 'append' | 'upsert' | 'retract';

export interface ChangelogSink {
  readonly changelog: ChangelogMode;
  readonly key?: readonly string[];
}

/**
 * Checks that a sink can hold what a source (after its transform) produces.
 * @throws EOS_CHANGELOG_MODE with the option that would fix it
 */
export function negotiateChangelog(produced: ChangelogMode, sink: ChangelogSink, name: string): void {
  const fix = misfit(produced, sink);
  if (fix === undefined) return;
  throw new EosError(
    'EOS_CHANGELOG_MODE',
    `sink ${name} is in ${sink.changelog} mode and cannot hold the ${produced} changelog it would be fed: ${fix}`,
    { details: { sink: name, produced, accepts: sink.changelog } },
  );
}

function misfit(produced: ChangelogMode, sink: ChangelogSink): string | undefined {
  if (produced === 'append') return undefined;
  switch (sink.changelog) {
    case 'append':
      return `it holds inserts only. Set mode: 'upsert' and a key on the sink, or drop updates and deletes in the transform and declare changelog: 'append'.`;
    case 'upsert':
      return undefined;
    case 'retract':
      if (produced === 'retract') return undefined;
      return `an upsert changelog does not carry the old rows that have to be taken back. Set mode: 'upsert' and a key on the sink.`;
  }
}
