/**
 * The floor of a table: a version that every transaction must have seen when it began, else it is not committed. Vacuum raises it before it deletes
 * what no commit names. Two applications (`txn`) hold it, so that it survives checkpoints.
 */
import { EosError } from '@eos/core';
import type { Transaction, Version } from '../log/actions.js';
import type { TableState } from '../log/table-state.js';

const FLOOR = 'eos/1/floor';
/** What the next vacuum raises the floor to: the version of the last one. */
const NEXT = 'eos/1/floor-next';

type Applications = Pick<TableState, 'transactions'>;

export function floorOf({ transactions }: Applications): Version {
  return Number(transactions.get(FLOOR)?.version ?? 0n);
}

/** Transactions that began since the last vacuum live on. */
export function nextFloor({ transactions }: Applications): Version {
  return Number(transactions.get(NEXT)?.version ?? 0n);
}

/** @param version the one at which these are committed */
export function floorActions(state: Applications, version: Version, now: number): readonly Transaction[] {
  return [
    { appId: FLOOR, version: BigInt(nextFloor(state)), lastUpdated: now },
    { appId: NEXT, version: BigInt(version), lastUpdated: now },
  ];
}

/**
 * May a transaction that began at this version be committed? Files that it has written may be deleted already.
 * @throws EOS_UNAVAILABLE, retryable: what is written from now on is kept
 */
export function checkFloor(state: Applications, begunAt: Version): void {
  const floor = floorOf(state);
  if (begunAt >= floor) return;
  const message =
    `the table was vacuumed twice since this transaction began (version ${begunAt}, and the floor is ${floor}): its files may be gone, and are ` +
    `written again`;
  throw new EosError('EOS_UNAVAILABLE', message, { retryable: true, details: { begunAt, floor } });
}
