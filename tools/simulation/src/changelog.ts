/** The data of a schedule: a seeded changelog for each source partition. */
import { Op, type ChangelogMode } from '@eos/core';
import type { Random } from './random.js';

/** A row, in the source and at the destination. */
export interface Row {
  readonly key: string;
  readonly value: number;
}

export interface Change {
  readonly offset: number;
  readonly op: Op;
  readonly row: Row;
}

/** All changes of one partition, with ascending offsets that may have gaps. */
export interface PartitionLog {
  readonly partition: string;
  readonly changes: readonly Change[];
  /** The end of the partition: behind the last change, perhaps after a gap. */
  readonly end: number;
}

/** What the transform makes of a row: none, one or two. It depends on the row alone, so that a retraction takes back the same. */
export function expand({ key, value }: Row): readonly Row[] {
  switch (value % 4) {
    case 0:
      return [];
    case 1:
      return [
        { key: `${key}.1`, value },
        { key: `${key}.2`, value },
      ];
    default:
      return [{ key: `${key}.1`, value }];
  }
}

/** Draws a changelog of about `count` changes that is valid in `mode`. */
export function drawLog(random: Random, partition: string, mode: ChangelogMode, count: number): PartitionLog {
  const draw = DRAWS[mode](random);
  const changes: Change[] = [];
  let offset = random.chance(0.5) ? 0 : random.integer(1, 50);
  while (changes.length < count) {
    for (const [op, row] of draw()) {
      changes.push({ offset, op, row: { ...row, key: `${partition}/${row.key}` } });
      offset += random.chance(0.2) ? random.integer(2, 4) : 1;
    }
  }
  return { partition, changes, end: offset };
}

type Draw = () => readonly (readonly [Op, Row])[];

const DRAWS: Readonly<Record<ChangelogMode, (random: Random) => Draw>> = {
  append: (random) => {
    let next = 0;
    return () => [[Op.insert, { key: `row ${next++}`, value: random.integer(0, 9) }]];
  },
  /** By key; an update may come without the row as it was. */
  upsert: (random) => {
    const held = new Map<string, Row>();
    return () => {
      const key = `k${random.integer(0, 4)}`;
      const old = held.get(key);
      if (old !== undefined && random.chance(0.25)) {
        held.delete(key);
        return [[Op.delete, old]];
      }
      const row = { key, value: random.integer(0, 99) };
      held.set(key, row);
      if (old === undefined) return [[Op.insert, row]];
      return random.chance(0.5)
        ? [[Op.updateAfter, row]]
        : [
            [Op.updateBefore, old],
            [Op.updateAfter, row],
          ];
    };
  },
  /** A multiset: few values, so that there are several copies of a row. */
  retract: (random) => {
    const held: Row[] = [];
    return () => {
      const row = { key: `k${random.integer(0, 2)}`, value: random.integer(1, 3) };
      const [old] =
        held.length > 0 && random.chance(0.4) ? held.splice(random.integer(0, held.length - 1), 1) : [];
      if (old !== undefined && random.chance(0.5)) return [[Op.delete, old]];
      held.push(row);
      if (old === undefined) return [[Op.insert, row]];
      return [
        [Op.updateBefore, old],
        [Op.updateAfter, row],
      ];
    };
  },
};
