/**
 * The identity of a destination of several tables: the id of each, by the name of its route. A table that was dropped and made
 * again is told by its name; one whose name is new joins, and one that is routed to no more is remembered.
 */
import { canonicalText, judgeTarget, type PartitionId, type Positions } from '@eos/core';

/** The name of the one table of a sink without routes. */
const ONLY = '';

type Ids = ReadonlyMap<string, string>;

/** The text that is stored for tables by the names of their routes. */
export function targetOfTables(ids: Ids): string {
  return canonicalText(Object.fromEntries(ids));
}

/** Whether rows may have gone to the table of this route before `target` was stored. */
export function namesTable(target: string, route: string | undefined): boolean {
  return route === undefined || readIds(target).has(route);
}

/**
 * The identity to store with claims that were found, which is `target` and what they remember besides.
 * @param object what the target is called, for the message
 * @throws EOS_TARGET_CHANGED
 */
export function settleTarget(found: Positions, target: string, object: string): string {
  const current = readIds(target);
  const joined = new Map(current);
  for (const [partition, position] of found) {
    if (position.epoch === 0n) continue;
    const stored = readIds(position.target);
    judgeIds(partition, stored, current, object);
    for (const [name, id] of stored) if (!joined.has(name)) joined.set(name, id);
  }
  if (current.has(ONLY)) return target;
  joined.delete(ONLY);
  return targetOfTables(joined);
}

function judgeIds(partition: PartitionId, stored: Ids, current: Ids, object: string): void {
  const judge = (expected: string, found: string, what: string) => {
    judgeTarget(
      partition,
      { epoch: 1n, offset: 0n, txId: 1n, owner: 1n, source: {}, target: found },
      expected,
      what,
    );
  };
  for (const [name, id] of stored) {
    const now = current.get(name);
    if (now !== undefined) judge(now, id, name === ONLY ? object : `table of route ${JSON.stringify(name)}`);
  }
  const ids = new Set(current.values());
  const isShared = [...stored].some(([name, id]) => ids.has(id) || current.has(name));
  // Not one table in common: another destination.
  if (!isShared) judge([...ids].join(), [...stored.values()].join(), object);
}

function readIds(target: string): Ids {
  if (!target.startsWith('{')) return new Map([[ONLY, target]]);
  const value: unknown = JSON.parse(target);
  if (typeof value !== 'object' || value === null) return new Map();
  return new Map(Object.entries(value).map(([name, id]) => [name, String(id)]));
}
