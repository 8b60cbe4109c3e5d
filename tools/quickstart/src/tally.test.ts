import { describe, expect, test } from '@jest/globals';
import type { Place, PlannedKill } from './kill-plan.js';
import type { WriterNews } from './messages.js';
import { byTable, rowsBefore, Tally } from './tally.js';

const offsets = { ...byTable((): number[] => []), flights: [1, 11, 21, 31], routes: [0, 5] };
const news = (kind: WriterNews['news'], epoch: number, offset: number | null = null): WriterNews => ({
  news: kind,
  table: 'flights',
  offset: offset === null ? null : String(offset),
  epoch: String(epoch),
});
const kill = (place: Place): PlannedKill => ({ table: 'flights', place, point: 'commit:before', count: 1 });

/** Two writers: the first is killed at `place` after one commit, the second finds `epoch`. */
function tallied(place: Place, epoch: number): Tally {
  const tally = new Tally(offsets);
  tally.heard(news('claim', 0));
  tally.heard(news('commit', 1, 11));
  tally.killed(kill(place));
  tally.heard(news('claim', epoch, 21));
  return tally;
}

describe('the tally', () => {
  test('counts rows by where they start', () => {
    expect([0, 1, 2, 11, 32, 99].map((offset) => rowsBefore(offsets.flights, offset))).toEqual([
      0, 0, 1, 1, 4, 4,
    ]);
    expect(tallied('lost', 1).rows).toBe(2);
  });

  test('counts a commit that landed unseen', () => {
    const tally = tallied('landed', 2);
    expect([tally.commits, tally.landedUnseen, tally.contradictions]).toEqual([2, 1, []]);
  });

  test.each<[Place, number]>([
    ['landed', 1],
    ['lost', 2],
    ['late', 2],
    ['prepared', 2],
    ['write', 3],
    ['elsewhere', 0],
  ])('finds what cannot be: a kill %s, and then epoch %i', (place, epoch) => {
    expect(tallied(place, epoch).contradictions).toHaveLength(1);
  });

  test('finds a commit that is not the next one', () => {
    const tally = tallied('lost', 1);
    tally.heard(news('commit', 3));
    expect(tally.contradictions).toHaveLength(1);
  });

  test('a writer that dies before its claim settles nothing', () => {
    const tally = new Tally(offsets);
    tally.heard(news('claim', 0));
    tally.killed(kill('landed'));
    tally.killed(kill('elsewhere'));
    tally.heard(news('claim', 1, 11));
    expect(tally.contradictions).toEqual([]);
    expect(tally.kills).toHaveLength(2);
  });
});
