/** The checks of arguments that every sink has in common. */
import { OP_NAMES, type ChangeBatch } from '../changes.js';
import type { ChangelogMode } from '../changelog.js';
import { EosError } from '../errors.js';
import { MAX_INT64, type Owner, type PartitionId, type TxId } from '../identifiers.js';
import { nextPosition, type Advance, type Advances, type Position, type Positions } from '../positions.js';

/** @throws EOS_CONFORMANCE unless a driver claimed exactly what it was asked for */
export function checkClaimed(partitions: readonly PartitionId[], owner: Owner, positions: Positions): void {
  const fits =
    positions.size === partitions.length && partitions.every((name) => positions.get(name)?.owner === owner);
  if (fits) return;
  const found = [...positions]
    .map(([name, position]) => `${name} of owner ${position.owner.toString()}`)
    .join(', ');
  throw new EosError(
    'EOS_CONFORMANCE',
    `recover of ${partitions.join(', ')} for owner ${owner.toString()} must return exactly their positions, not: ${found}`,
  );
}

/** @throws EOS_RANGE, EOS_CHANGELOG_MODE */
export function checkBatch<Row>(
  batch: ChangeBatch<Row>,
  positions: Positions,
  changelog: ChangelogMode,
): void {
  const { rows, ops, offsets, partition } = batch;
  if (!positions.has(partition)) throw notClaimed(partition);
  const count = rows.length;
  if ((ops !== undefined && ops.length !== count) || (offsets !== undefined && offsets.length !== count)) {
    throw new EosError('EOS_RANGE', `a batch of ${count} rows needs as many ops and offsets`, {
      details: { partition },
    });
  }
  if (ops !== undefined) checkOps(ops, batch, changelog);
}

function checkOps<Row>(
  ops: Uint8Array,
  { partition, offsets }: ChangeBatch<Row>,
  changelog: ChangelogMode,
): void {
  const highest = changelog === 'append' ? 0 : OP_NAMES.length - 1;
  for (let index = 0; index < ops.length; index++) {
    const op = ops[index] ?? 0;
    if (op <= highest) continue;
    const offset = offsets?.[index];
    const place = offset === undefined ? `row ${index} of a batch` : `offset ${offset.toString()}`;
    const details = { partition, offset, op };
    const name = OP_NAMES[op];
    if (name === undefined) {
      throw new EosError(
        'EOS_RANGE',
        `${op} at ${place} of partition ${partition} is no op: use Op.insert …`,
        { details },
      );
    }
    const message = `the sink holds inserts only, and ${place} of partition ${partition} is a ${name}: set mode: 'upsert' and a key`;
    throw new EosError('EOS_CHANGELOG_MODE', message, { details });
  }
}

/**
 * The positions that a commit stores.
 * @throws EOS_RANGE unless `from` and `to` name the same claimed partitions, `written` among them, and none goes back
 */
export function nextPositions(
  { from, to }: { readonly from: Positions; readonly to: Advances },
  written: ReadonlySet<PartitionId>,
  held: Positions,
  id: TxId,
): Positions {
  if (to.size === 0 || from.size !== to.size) {
    throw new EosError('EOS_RANGE', 'from and to must name the same partitions, at least one');
  }
  for (const partition of written) {
    if (to.has(partition)) continue;
    const message = `rows of partition ${partition} were written, but the range does not move it`;
    throw new EosError('EOS_RANGE', message, { details: { partition } });
  }
  const next = new Map<PartitionId, Position>();
  for (const [partition, advance] of to) {
    const position = held.get(partition);
    if (position === undefined) throw notClaimed(partition);
    checkAdvance(partition, from.get(partition), position, advance);
    next.set(partition, nextPosition(position, advance, id));
  }
  return next;
}

function checkAdvance(
  partition: PartitionId,
  start: Position | undefined,
  held: Position,
  { offset }: Advance,
): void {
  const details = { partition, offset };
  if (start?.epoch !== held.epoch || start.owner !== held.owner) {
    const message = `from must be the session's own position of partition ${partition} (epoch ${held.epoch.toString()})`;
    throw new EosError('EOS_RANGE', message, { details });
  }
  if (offset < (held.offset ?? 0n) || offset > MAX_INT64) {
    const message = `partition ${partition} cannot move from offset ${String(held.offset)} to ${offset.toString()}`;
    throw new EosError('EOS_RANGE', message, { details });
  }
}

function notClaimed(partition: PartitionId): EosError {
  return new EosError('EOS_RANGE', `partition ${partition} is not claimed by this session`, {
    details: { partition },
  });
}
