/** The judgements of law 1, 2 and 5, said once: every sink that reads a record back judges it here. */
import { EosError } from './errors.js';
import type { PartitionId } from './identifiers.js';
import type { Position } from './positions.js';
import type { EarlierClaim } from './sink.js';

/**
 * May this claim replace what was found? A first claim takes over; a later one only its own or what it saw before. A record that
 * went back behind an acknowledged epoch is no other writer's doing, and is judged first (law 5).
 * @param found the record at the destination, undefined where there is none
 * @throws EOS_FENCED
 */
export function judgeClaim(
  partition: PartitionId,
  found: Position | undefined,
  earlier: EarlierClaim | undefined,
): void {
  if (earlier === undefined || found === undefined) return;
  if (found.epoch < earlier.epoch) return;
  if (earlier.owners.has(found.owner)) return;
  throw fencedError(partition);
}

/**
 * May this commit go on? Epoch first, then owner (law 5). A claim makes a record and nothing deletes it: none there means that the
 * destination went back behind the claim.
 * @param found epoch and owner at the destination; undefined where there is no record
 * @throws EOS_POSITION_REGRESSED, EOS_FENCED
 */
export function judgeCommit(
  partition: PartitionId,
  found: Pick<Position, 'epoch' | 'owner'> | undefined,
  from: Position,
): void {
  if (found === undefined || found.epoch < from.epoch)
    throw regressedError(partition, from.epoch, found?.epoch);
  if (found.epoch > from.epoch || found.owner !== from.owner) throw fencedError(partition);
}

/**
 * Does a stored position belong to the destination object that is there now? One that never had a commit says nothing.
 * @param object what the target is called, for the message
 * @throws EOS_TARGET_CHANGED
 */
export function judgeTarget(
  partition: PartitionId,
  found: Position | undefined,
  target: string,
  object: string,
): void {
  if (found === undefined || found.epoch === 0n || found.target === target) return;
  throw new EosError(
    'EOS_TARGET_CHANGED',
    `the stored position of partition ${partition} belongs to an earlier ${object} (it was dropped and made again since): ` +
      `restore it, or start over under another pipeline id or sink name`,
    { details: { partition, expected: target, found: found.target } },
  );
}

/** The error of a session that lost its claim. */
export function fencedError(partition: PartitionId, cause?: unknown): EosError {
  return new EosError(
    'EOS_FENCED',
    `partition ${partition} was claimed by another session: a newer copy of this pipeline is running, and this one must stop`,
    { details: { partition }, ...(cause === undefined ? {} : { cause }) },
  );
}

/**
 * The error of a commit that found the destination behind what it had acknowledged.
 * @param found the epoch that is there, undefined where there is no record
 */
export function regressedError(
  partition: PartitionId,
  expected: bigint,
  found: bigint | undefined,
  cause?: unknown,
): EosError {
  const state = found === undefined ? 'has no record' : `is at epoch ${found.toString()}`;
  return new EosError(
    'EOS_POSITION_REGRESSED',
    `partition ${partition} ${state} at the destination, behind the acknowledged epoch ${expected.toString()} ` +
      `(a restored backup, or a failover that lost commits): seeking back`,
    { retryable: true, details: { partition, expected, found }, ...(cause === undefined ? {} : { cause }) },
  );
}
