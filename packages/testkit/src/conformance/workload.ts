import { Op, type ChangeBatch, type ChangelogMode, type PartitionId } from '@eos/core';
import type { Change } from '../oracle/expected-rows.js';
import { randomNumbers } from '../oracle/random-numbers.js';
import { rejectedName, type ConformanceRow } from './schema.js';

/** A row that is a function of its id and version: the same in every process. */
export function sampleRow(id: number, version = 0): ConformanceRow {
  const mixed = (id * 31 + version * 7) % 1000;
  return {
    id: BigInt(id),
    flag: mixed % 3 === 0 ? null : mixed % 2 === 0,
    small: mixed - 500,
    big: BigInt(mixed) * 1_000_000_007n,
    ratio: mixed / 8,
    amount: `${mixed}.${version % 10}`,
    name: `row ${id}, version ${version}`,
    moment: 1_700_000_000_000_000n + BigInt(mixed),
    ...(mixed % 5 === 0
      ? {}
      : { day: `20${String(10 + (mixed % 80))}-01-02`, document: { id, tags: ['a', mixed] } }),
  };
}

/** A row that no sink can write: of even ids one that does not fit its schema, of odd ids one that the destination rejects. */
export function badRow(id: number): ConformanceRow {
  const row = sampleRow(id);
  // What a program in JavaScript may well hand out, whatever the type says.
  return id % 2 === 0 ? { ...row, small: 'twelve' as unknown as number } : { ...row, name: rejectedName };
}

export function isBadRow({ small, name }: ConformanceRow): boolean {
  return typeof small === 'string' || name === rejectedName;
}

/** One draw of a random changelog; each number is taken modulo what there is to choose from. */
export interface Draw {
  readonly action: number;
  readonly pick: number;
  readonly version: number;
}

export interface ChangelogShape {
  readonly changelog: ChangelogMode;
  /** The first id. Changelogs of other ids do not touch each other. */
  readonly firstId?: number;
}

/** Turns draws into a changelog that its mode allows: nothing is taken back that is not there. */
export function changelogOf(shape: ChangelogShape, draws: readonly Draw[]): Change<ConformanceRow>[] {
  const { changelog, firstId = 0 } = shape;
  switch (changelog) {
    case 'append':
      return draws.map(({ version }, index) => ({ row: sampleRow(firstId + index, version), op: Op.insert }));
    case 'upsert':
      return upsertChangelog(firstId, draws);
    case 'retract':
      return retractChangelog(firstId, draws);
  }
}

const KEYS = 12;

/** Few keys, so that most changes meet an earlier one. Keys are deleted that were never there, too: a sink must not mind. */
function upsertChangelog(firstId: number, draws: readonly Draw[]): Change<ConformanceRow>[] {
  return draws.flatMap(({ action, pick, version }): Change<ConformanceRow>[] => {
    const id = firstId + (pick % KEYS);
    const row = sampleRow(id, version);
    switch (action % 6) {
      case 0:
        return [{ row, op: Op.delete }];
      case 1:
        // A delete may carry the key only.
        return [{ row: { id: BigInt(id) }, op: Op.delete }];
      case 2:
        return [
          { row, op: Op.updateBefore },
          { row: sampleRow(id, version + 1), op: Op.updateAfter },
        ];
      case 3:
        // The key changes.
        return [
          { row, op: Op.updateBefore },
          { row: sampleRow(firstId + ((pick + 1) % KEYS), version), op: Op.updateAfter },
        ];
      case 4:
        return [{ row, op: Op.updateAfter }];
      default:
        return [{ row, op: Op.insert }];
    }
  });
}

/** Equal rows come several times, and one copy at a time goes. */
function retractChangelog(firstId: number, draws: readonly Draw[]): Change<ConformanceRow>[] {
  const held: ConformanceRow[] = [];
  return draws.flatMap(({ action, pick, version }): Change<ConformanceRow>[] => {
    const row = sampleRow(firstId + (pick % KEYS), version % 3);
    const [taken] = action % 3 === 0 ? [] : held.splice(pick % Math.max(1, held.length), 1);
    if (taken === undefined) {
      held.push(row);
      return [{ row, op: Op.insert }];
    }
    if (action % 3 === 1) return [{ row: taken, op: Op.delete }];
    held.push(row);
    return [
      { row: taken, op: Op.updateBefore },
      { row, op: Op.updateAfter },
    ];
  });
}

/** A reproducible sequence of draws. */
export function seededDraws(seed: number, count: number): Draw[] {
  const random = randomNumbers(seed);
  return Array.from({ length: count }, () => ({
    action: random(),
    pick: random(),
    version: random() % 1000,
  }));
}

/** The changes from index `from` up to `to`, as a batch; the index is the offset. */
export function batchOf(
  changes: readonly Change<ConformanceRow>[],
  partition: PartitionId,
  from: number,
  to: number,
): ChangeBatch<ConformanceRow> {
  const part = changes.slice(from, to);
  return {
    partition,
    rows: part.map(({ row }) => row),
    ops: Uint8Array.from(part, ({ op }) => op ?? Op.insert),
    offsets: BigInt64Array.from(part, (_, index) => BigInt(from + index)),
  };
}

/** A row whose text is `bytes` long, and like no other: for volume. */
export function wideRow(id: number, bytes: number): ConformanceRow {
  return { id: BigInt(id), name: `${id} `.padEnd(bytes, 'The quick brown fox jumps over the lazy dog. ') };
}
