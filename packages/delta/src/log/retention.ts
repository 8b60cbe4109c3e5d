/** How long a table keeps what Eos must find again. */
import { EosError } from '@eos/core';
import type { Metadata } from './actions.js';

const MILLISECONDS: Readonly<Record<string, number>> = {
  week: 604_800_000,
  day: 86_400_000,
  hour: 3_600_000,
  minute: 60_000,
  second: 1_000,
  millisecond: 1,
  microsecond: 0.001,
};

const DEFAULT_LOG_RETENTION_MS = 30 * 86_400_000;
const DEFAULT_FILE_RETENTION_MS = 7 * 86_400_000;

/**
 * The least time for which a log must keep its files: a writer that finds its place cleaned up tells by what is left, and clean-up that
 * chases the end of the log would leave it too little.
 */
const LEAST_LOG_RETENTION_MS = 3_600_000;

/**
 * Refuses a table whose properties let others drop positions.
 * @throws EOS_SCHEMA naming the property
 */
export function checkRetention(metadata: Metadata): void {
  const transactions = metadata.configuration['delta.setTransactionRetentionDuration'];
  if (transactions !== undefined) {
    const problem =
      `lets any writer drop positions that are older than ${transactions}, and the pipeline would start over. ` +
      `Take it away: ALTER TABLE … UNSET TBLPROPERTIES ('delta.setTransactionRetentionDuration')`;
    throw refused('delta.setTransactionRetentionDuration', transactions, problem);
  }
  const log = metadata.configuration['delta.logRetentionDuration'];
  if (log !== undefined && logRetentionMs(metadata) < LEAST_LOG_RETENTION_MS) {
    const problem =
      'lets commits be cleaned up while writers still look at them. Set it to an hour at the least, such as interval 30 days';
    throw refused('delta.logRetentionDuration', log, problem);
  }
}

/** How long commit files are kept behind a checkpoint, in milliseconds. */
export function logRetentionMs({ configuration }: Metadata): number {
  return durationMs(configuration, 'delta.logRetentionDuration', DEFAULT_LOG_RETENTION_MS);
}

/** How long tombstones, and the files that they stand for, are kept, in milliseconds. */
export function fileRetentionMs({ configuration }: Metadata): number {
  return durationMs(configuration, 'delta.deletedFileRetentionDuration', DEFAULT_FILE_RETENTION_MS);
}

function durationMs(
  configuration: Readonly<Record<string, string>>,
  property: string,
  otherwise: number,
): number {
  const text = configuration[property];
  if (text === undefined) return otherwise;
  const parsed = parseInterval(text);
  if (parsed === undefined) throw refused(property, text, 'is no interval such as interval 30 days');
  return parsed;
}

/** `interval 1 week 2 days`, with or without the first word; undefined for anything else. */
export function parseInterval(text: string): number | undefined {
  const words = text.trim().toLowerCase().split(/\s+/);
  if (words[0] === 'interval') words.shift();
  if (words.length === 0 || words.length % 2 === 1) return undefined;
  let total = 0;
  for (let at = 0; at < words.length; at += 2) {
    const count = Number(words[at]);
    const unit = MILLISECONDS[String(words[at + 1]).replace(/s$/, '')];
    if (!Number.isFinite(count) || unit === undefined) return undefined;
    total += count * unit;
  }
  return total;
}

function refused(property: string, value: string, problem: string): EosError {
  return new EosError('EOS_SCHEMA', `the table property ${property} (${value}) ${problem}`, {
    details: { property, value },
  });
}
