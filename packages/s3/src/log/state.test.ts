/** Entries that take no effect, whoever has put them: each compares with something that is not there. */
import { describe, expect, test } from '@jest/globals';
import type { BaseEntry, LogEntry } from './entry.js';
import { applyEntry, emptyState, type LogState } from './state.js';

const at = 0;
let nonces = 0;
const head = () => ({ nonce: String(nonces++), at });

const table: LogEntry = {
  kind: 'table',
  nonce: 'table',
  at,
  table: { target: '1', mode: 'append', key: [], visibility: 'log', columns: [] },
};
const floorOf = (floor: bigint): LogEntry => ({ kind: 'floor', ...head(), floor });
const baseOf = (upTo: bigint, replacing: bigint | null): BaseEntry => ({
  kind: 'base',
  ...head(),
  upTo,
  replacing,
  manifests: [],
});

function after(...entries: readonly LogEntry[]): LogState {
  const state = emptyState();
  for (const entry of entries) applyEntry(state, entry);
  return state;
}

describe('a base', () => {
  test('takes effect where it is built on the newest one', () => {
    const state = after(table, baseOf(0n, null));
    expect(state.base).toMatchObject({ seq: 1n, upTo: 0n });
    expect(applyEntry(state, baseOf(1n, 1n))).toBe(true);
    expect(state.base).toMatchObject({ seq: 2n, upTo: 1n });
  });

  test.each<[string, readonly LogEntry[], BaseEntry]>([
    ['is built on another one', [table, baseOf(0n, null)], baseOf(1n, null)],
    ['stands for entries that are not there yet', [table], baseOf(1n, null)],
    ['stands for less than the one before', [table, floorOf(0n), baseOf(1n, null)], baseOf(0n, 2n)],
    // Vacuum may have deleted its files.
    ['has files from below the floor', [table, floorOf(0n), floorOf(1n)], baseOf(0n, null)],
  ])('that %s is void', (_, entries, base) => {
    const state = after(...entries);
    const before = state.base;
    expect(applyEntry(state, base)).toBe(false);
    expect(state.base).toBe(before);
    expect([...state.voids]).toEqual([state.seq]);
  });
});

test('a floor does not sink', () => {
  const state = after(table, floorOf(0n), floorOf(1n));
  expect(applyEntry(state, floorOf(0n))).toBe(false);
  expect([state.floor, state.floorSeq]).toEqual([1n, 2n]);
});
