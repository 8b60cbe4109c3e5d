import { randomBytes } from 'node:crypto';
import { EosError } from './errors.js';

/** Random positive 63-bit number of the transaction that wrote a position: tells one's own commit from another's. */
export type TxId = bigint;

/** Random positive 63-bit number of the session that claimed a partition last. */
export type Owner = bigint;

/** Name of a source partition: `<topic>/<number>`, a path below the source's root, or `0`. */
export type PartitionId = string;

/** The largest number that every store holds: 2^63 - 1. */
export const MAX_INT64 = 2n ** 63n - 1n;

/** A random number in 1 … 2^63 - 1, from the system's secure generator: collisions are not a case to handle. */
export function randomId(): bigint {
  const id = randomBytes(8).readBigUInt64BE() & MAX_INT64;
  return id === 0n ? 1n : id;
}

const NAME = /^[A-Za-z0-9._-]{1,128}$/;

/**
 * Checks the name of a pipeline or sink.
 * @throws EOS_CONFIG where it is not 1 to 128 of `A-Z a-z 0-9 . _ -`
 */
export function checkName(kind: 'pipeline id' | 'sink name', name: unknown): void {
  if (typeof name === 'string' && NAME.test(name)) return;
  throw new EosError(
    'EOS_CONFIG',
    `${kind} ${typeof name === 'string' ? JSON.stringify(name) : String(name)} must be 1 to 128 of A-Z a-z 0-9 . _ -`,
  );
}
