import { EosError } from './errors.js';
import type { SinkConnector } from './sink.js';
import type { Source } from './source.js';

/** What a pipeline promises about each source row, the strongest first. */
export const GUARANTEES = ['exactly-once', 'effectively-once', 'at-least-once', 'at-most-once'] as const;

/**
 * - `exactly-once`: every row's effect is in the destination once, after any crash.
 * - `effectively-once`: rows may be applied again, and by their key that changes nothing.
 * - `at-least-once`: rows may be there twice after a crash.
 * - `at-most-once`: rows that were read and not committed are lost with the process.
 */
export type Guarantee = (typeof GUARANTEES)[number];

/** What a pipeline promises, and why. */
export interface Explanation {
  readonly guarantee: Guarantee;
  readonly reasons: readonly string[];
}

/** Derives the guarantee of a pipeline of one source and its sinks. */
export function explainGuarantee(
  source: Pick<Source<unknown>, 'description' | 'replayable'>,
  sinks: Readonly<Record<string, Pick<SinkConnector<never>, 'description' | 'capabilities'>>>,
): Explanation {
  const reasons = [
    source.replayable
      ? `${source.description} can be read again from any stored position`
      : `${source.description} cannot be read again: rows that were read and not committed are lost with the process`,
  ];
  for (const [name, { description, capabilities }] of Object.entries(sinks)) {
    const together =
      capabilities.atomic === 'transaction' ? 'all partitions together' : 'each partition by itself';
    reasons.push(
      `${name} (${description}) commits rows and position in one atomic step, ${together}, and compares owner and epoch itself`,
    );
    if (!capabilities.durable) reasons.push(`${name} (${description}) holds nothing beyond the process`);
  }
  return { guarantee: source.replayable ? 'exactly-once' : 'at-most-once', reasons };
}

/**
 * Refuses a pipeline that promises less than was asked for.
 * @throws EOS_GUARANTEE with the reasons and the fix
 */
export function checkGuarantee(asked: Guarantee, { guarantee, reasons }: Explanation): void {
  if (GUARANTEES.indexOf(guarantee) <= GUARANTEES.indexOf(asked)) return;
  throw new EosError(
    'EOS_GUARANTEE',
    `this pipeline is ${guarantee}, not ${asked}: ${reasons.join('; ')}. ` +
      `Read from a source that can be replayed (a file, a topic), or accept it with guarantee: '${guarantee}'`,
    { details: { asked, guarantee, reasons } },
  );
}
