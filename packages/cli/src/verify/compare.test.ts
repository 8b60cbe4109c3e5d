import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { compare, type CompareOptions, type Comparison } from './compare.js';
import type { ExpectedLines } from './lines.js';

const seed = Number(process.env['EOS_TEST_SEED'] ?? Date.now() % 2 ** 31);

/** A change: a row of a key and a value, put or taken. */
interface Change {
  readonly key: string;
  readonly value: string;
  readonly isTaken: boolean;
}

interface Case {
  readonly changes: readonly Change[];
  readonly found: readonly string[];
  readonly keyColumns: 0 | 1;
  readonly isUpsert: boolean;
}

/** The rows by how often they are there, and what is wrong with them: one at a time, in maps. */
function oracle({ changes, found, keyColumns, isUpsert }: Case) {
  const wanted = new Map<string, number>();
  const last = new Map<string, string>();
  for (const { key, value, isTaken } of changes) {
    const row = `${key}\t${value}`;
    if (!isUpsert) wanted.set(row, (wanted.get(row) ?? 0) + (isTaken ? -1 : 1));
    else if (isTaken) last.delete(key);
    else last.set(key, row);
  }
  for (const row of last.values()) wanted.set(row, 1);
  const held = new Map<string, number>();
  for (const row of found) held.set(row, (held.get(row) ?? 0) + 1);
  const lost = new Map<string, number>();
  const foreign = new Map<string, number>();
  const counts = { lost: 0, doubled: 0, changed: 0, foreign: 0 };
  for (const row of new Set([...wanted.keys(), ...held.keys()])) {
    const [should, is] = [Math.max(0, wanted.get(row) ?? 0), held.get(row) ?? 0];
    const group = keyColumns === 0 ? row : (row.split('\t')[0] ?? '');
    if (is < should) lost.set(group, (lost.get(group) ?? 0) + should - is);
    else if (should > 0) counts.doubled += is - should;
    else foreign.set(group, (foreign.get(group) ?? 0) + is);
  }
  for (const group of new Set([...lost.keys(), ...foreign.keys()])) {
    const [missing, surplus] = [lost.get(group) ?? 0, foreign.get(group) ?? 0];
    const changed = keyColumns === 0 ? 0 : Math.min(missing, surplus);
    counts.changed += changed;
    counts.lost += missing - changed;
    counts.foreign += surplus - changed;
  }
  return counts;
}

async function withFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'eos-compare-'));
  try {
    const result = await work(folder);
    expect(await readdir(folder)).toEqual([]);
    return result;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Lines in blocks of at most `size` rows. */
function* blocks<T>(rows: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < rows.length; at += size) yield rows.slice(at, at + size);
}

function bytesOf(lines: readonly string[]): Buffer {
  return Buffer.from(lines.map((line) => `${line}\n`).join(''));
}

async function* expectedOf(changes: readonly Change[], size = 7): AsyncGenerator<ExpectedLines> {
  let offset = 0;
  for (const block of blocks(changes, size)) {
    yield {
      lines: bytesOf(block.map(({ key, value }) => `${key}\t${value}`)),
      count: block.length,
      ops: Uint8Array.from(block, ({ isTaken }) => (isTaken ? 3 : 0)),
      partition: 'p',
      offsets: BigInt64Array.from(block, (_, index) => BigInt(offset + index)),
      from: BigInt(offset),
      next: BigInt(offset + block.length),
    };
    offset += block.length;
  }
}

async function* foundOf(rows: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const block of blocks(rows, 5)) yield bytesOf(block);
}

function compareCase(one: Case, more: Partial<CompareOptions> = {}): Promise<Comparison> {
  return withFolder((folder) =>
    compare({
      expected: () => expectedOf(one.changes),
      found: () => foundOf(one.found),
      keyColumns: one.keyColumns,
      isUpsert: one.isUpsert,
      limit: 1_000,
      folder,
      seed: 1,
      ...more,
    }),
  );
}

const change = fc.record({
  key: fc.constantFrom('', 'a', 'b', 'c', 'dddddddddddddddddddd'),
  value: fc.constantFrom('', '1', '\\N', 'é'),
  isTaken: fc.boolean(),
});

/** Found is what is expected, in another order, with rows taken out, doubled, changed and put in. */
const cases: fc.Arbitrary<Case> = fc
  .record({
    changes: fc.array(change, { maxLength: 40 }),
    kind: fc.constantFrom('append', 'keyed append', 'retract', 'upsert'),
    edits: fc.array(fc.tuple(fc.nat(60), change), { maxLength: 6 }),
    isShuffled: fc.boolean(),
  })
  .map(({ changes: all, kind, edits, isShuffled }) => {
    const isUpsert = kind === 'upsert';
    const changes = kind.endsWith('append') ? all.map((one) => ({ ...one, isTaken: false })) : all;
    const kept = new Map<string, string[]>();
    for (const { key, value, isTaken } of changes) {
      const row = `${key}\t${value}`;
      const group = isUpsert ? key : row;
      const rows = isUpsert ? [] : (kept.get(group) ?? []);
      if (isTaken) rows.pop();
      else rows.push(row);
      kept.set(group, rows);
    }
    const found = [...kept.values()].flat();
    if (isShuffled) found.reverse();
    for (const [place, { key, value, isTaken }] of edits) {
      if (isTaken && found.length > 0) found.splice(place % found.length, 1);
      else found.splice(place % (found.length + 1), 0, `${key}\t${value}`);
    }
    return { changes, found, isUpsert, keyColumns: kind === 'append' || kind === 'retract' ? 0 : 1 };
  });

describe('compare', () => {
  test(`finds what maps of all rows find (seed ${seed})`, async () => {
    const settings = fc.record({
      // One bucket: all rows are looked at twice. Little memory: files are parted again.
      buckets: fc.constantFrom(1, 4, 1024),
      memoryBytes: fc.constantFrom(0, 1_500, 2 ** 20),
    });
    await fc.assert(
      fc.asyncProperty(cases, settings, async (one, { buckets, memoryBytes }) => {
        const wanted = oracle(one);
        // A key whose rows do not fit into the memory that is allowed cannot be parted.
        const isSmall = memoryBytes < 2 ** 20 && one.keyColumns === 1;
        const { counts, named } = await compareCase(one, {
          buckets,
          memoryBytes: isSmall ? 4_000 : memoryBytes,
        });
        expect(counts).toEqual(wanted);
        const sums = { lost: 0, doubled: 0, changed: 0, foreign: 0 };
        for (const { kind, copies } of named) sums[kind] += copies;
        expect(sums).toEqual(wanted);
      }),
      { seed, numRuns: 300 },
    );
  });

  test('names rows with where they come from', async () => {
    const changes = Array.from({ length: 100 }, (_, id) => ({ key: String(id), value: 'x', isTaken: false }));
    const found = changes.map(({ key }) => `${key}\tx`);
    found.splice(17, 1);
    found[50] = '51\ty';
    found.push('3\tx', '3\tx', 'new\tz');
    const keyed = await compareCase({ changes, found, keyColumns: 1, isUpsert: false });
    expect(keyed.counts).toEqual({ lost: 1, doubled: 2, changed: 1, foreign: 1 });
    const place = (offset: bigint) => ({ partition: 'p', offset, next: offset });
    expect(new Set(keyed.named)).toEqual(
      new Set([
        { kind: 'lost', copies: 1, expected: '17\tx', place: place(17n) },
        { kind: 'doubled', copies: 2, expected: '3\tx', found: '3\tx', place: place(3n) },
        { kind: 'changed', copies: 1, expected: '51\tx', found: '51\ty', place: place(51n) },
        { kind: 'foreign', copies: 1, found: 'new\tz' },
      ]),
    );
    const bare = await compareCase({ changes, found, keyColumns: 0, isUpsert: false });
    expect(bare.counts).toEqual({ lost: 2, doubled: 2, changed: 0, foreign: 2 });
  });

  test('says that the source is not repeatable instead of naming rows', async () => {
    const changes = [{ key: 'a', value: '1', isTaken: false }];
    let reading = 0;
    const expected = () => expectedOf([{ key: 'a', value: String(reading++), isTaken: false }]);
    const one = { changes, found: ['a\t5'], keyColumns: 1 as const, isUpsert: false };
    const { isRepeatable, counts, named } = await compareCase(one, { expected });
    expect({ isRepeatable, counts, named }).toEqual({
      isRepeatable: false,
      counts: { lost: 0, doubled: 0, changed: 0, foreign: 0 },
      named: [],
    });
  });

  test('keeps the first differences of each kind only, and counts all', async () => {
    const changes = Array.from({ length: 500 }, (_, id) => ({ key: String(id), value: 'x', isTaken: false }));
    const found = Array.from({ length: 300 }, (_, id) => `f${id}\tx`);
    const { counts, named } = await compareCase(
      { changes, found, keyColumns: 1, isUpsert: true },
      { limit: 3 },
    );
    expect(counts).toEqual({ lost: 500, doubled: 0, changed: 0, foreign: 300 });
    expect(named.map(({ kind }) => kind).sort()).toEqual([
      ...Array<string>(3).fill('foreign'),
      ...Array<string>(3).fill('lost'),
    ]);
  });

  test('asks for a key that tells rows apart where it would not fit into memory', async () => {
    const changes = Array.from({ length: 100 }, (_, id) => ({ key: 'a', value: String(id), isTaken: false }));
    const call = compareCase({ changes, found: [], keyColumns: 1, isUpsert: false }, { memoryBytes: 10_000 });
    await expect(call).rejects.toMatchObject({ code: 'EOS_CONFIG', details: { option: 'key' } });
  });
});
