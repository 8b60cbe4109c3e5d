/** What a log costs to be opened, and what it says when a part of it is gone. */
import { memoryBucket, memoryObjectStore, type MemoryBucket } from '@eos/object-store';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { flights, flightsOf, PREFIX, Writer } from '../commits.testing.js';
import { countingStore } from '../counting-store.testing.js';
import { s3Sink } from '../index.js';
import { openTable } from '../reader/open-table.js';
import { checkpointKey, hintKey, logKey, segmentKey } from './keys.js';
import { readLog, readState } from './index.js';

const LAST_CHECKPOINT = 127n;

let bucket: MemoryBucket;
beforeEach(() => {
  bucket = memoryBucket();
});

const store = () => memoryObjectStore(bucket);
const options = () => ({ prefix: PREFIX, schema: flights, store: store() });

/** Commits without rows: one entry each. Entries 0 and 1 are the table and the claim. */
async function moved(commits: number): Promise<Writer> {
  const writer = await Writer.open(options());
  for (let commit = 0; commit < commits; commit++) await writer.commit([]);
  return writer;
}

/** As a backup does that knows nothing of the last entries. */
function forgetAfter(seq: bigint): void {
  for (const key of bucket.objects.keys())
    if (key.startsWith(`${PREFIX}_eos/log/`) && key > logKey(PREFIX, seq)) bucket.objects.delete(key);
}

async function idsOf(): Promise<bigint[]> {
  const ids: bigint[] = [];
  for await (const rows of (await openTable(store(), PREFIX)).rows())
    for (const { id } of rows) if (typeof id === 'bigint') ids.push(id);
  return ids.sort((a, b) => Number(a - b));
}

describe('to recover', () => {
  test.each([10, 1_000, 10_000])(
    'takes as many requests after %d commits, and does not list the log',
    async (commits) => {
      await (await moved(commits)).close();
      const { store: counting, counts, total } = countingStore(store());
      const sink = await s3Sink({ ...options(), store: counting }).open({ pipeline: 'test', sink: 'files' });
      // Hint, checkpoint and its entry; a window, and what is asked for ahead of its end.
      expect(total()).toBeLessThanOrEqual(3 + 64 + 16);
      // Where there is no hint yet, of checkpoints.
      expect(counts.get('list') ?? 0).toBe(commits < 64 ? 1 : 0);
      // Looks whether the store compares, once.
      await sink.recover(['another']);
      const before = total();
      await sink.recover(['0']);
      // The next slot, and the claim in it.
      expect(total() - before).toBe(2);
      expect((await sink.positions()).get('0')?.epoch).toBe(BigInt(commits));
      await sink.close();
    },
  );

  test('a state at an earlier entry costs no more', async () => {
    await (await moved(1_000)).close();
    const { store: counting, total } = countingStore(store());
    const { records } = await readState({ store: counting, prefix: PREFIX }, 700n);
    expect(records.get('test/files')?.get('0')?.position.epoch).toBe(699n);
    expect(total()).toBeLessThanOrEqual(2 + 64 + 16);
  });
});

describe('what lies beside the log', () => {
  const gone: readonly (readonly [string, () => void])[] = [
    ['the hint', () => bucket.objects.delete(hintKey(PREFIX))],
    [
      'hint and newest checkpoint',
      () => {
        bucket.objects.delete(hintKey(PREFIX));
        bucket.objects.delete(checkpointKey(PREFIX, LAST_CHECKPOINT));
      },
    ],
    [
      'all of it',
      () => {
        for (const key of bucket.objects.keys())
          if (/\/_eos\/(hint|checkpoints|segments)/.test(key)) bucket.objects.delete(key);
      },
    ],
  ];
  test.each(gone)('may be gone: %s', async (_, lose) => {
    await (await moved(140)).close();
    lose();
    const state = await readState({ store: store(), prefix: PREFIX });
    expect(state.seq).toBe(141n);
    expect(state.records.get('test/files')?.get('0')?.position.epoch).toBe(140n);
  });

  test('is there for every full window, and says what the log says', async () => {
    await (await moved(140)).close();
    for (const first of [0n, 64n]) {
      const texts: string[] = [];
      for (let seq = first; seq < first + 64n; seq++)
        texts.push(Buffer.from(bucket.objects.get(logKey(PREFIX, seq))?.body ?? []).toString());
      const segment = Buffer.from(bucket.objects.get(segmentKey(PREFIX, first))?.body ?? []).toString();
      expect(segment).toBe(texts.map((text) => `${text}\n`).join(''));
    }
    expect(bucket.objects.has(checkpointKey(PREFIX, LAST_CHECKPOINT))).toBe(true);
  });

  test('is not believed where the log went back and was written on', async () => {
    await (await moved(140)).close();
    forgetAfter(99n);
    const writer = await Writer.open(options());
    for (let commit = 0; commit < 40; commit++) await writer.commit(flightsOf(commit, commit + 1));
    await writer.close();
    const place = { store: store(), prefix: PREFIX };
    const state = await readState(place);
    // Ninety-eight commits were left, and a claim.
    expect(state.records.get('test/files')?.get('0')?.position.epoch).toBe(98n + 40n);
    let files = 0;
    for await (const { entry } of readLog(place, { from: 0n, to: state.seq }))
      files += entry.kind === 'commit' ? entry.files.length : 0;
    expect(files).toBe(40);
    expect(await idsOf()).toEqual(flightsOf(0, 40).map(({ id }) => id));
  });
});

describe('a writer under which the log went back', () => {
  test('and which has not noticed yet writes into the void: who comes next reads over it', async () => {
    const before = await Writer.open(options());
    await before.commit(flightsOf(0, 10));
    await before.commit(flightsOf(10, 20));
    forgetAfter(2n);
    // Within the second in which it does not look: entry 4, of which nobody reads 3.
    await before.commit(flightsOf(20, 30));
    expect(bucket.objects.has(logKey(PREFIX, 4n))).toBe(true);

    const after = await Writer.open(options());
    expect(after.session.positions.get('0')).toMatchObject({ epoch: 1n, offset: 10n });
    await after.commit(flightsOf(10, 20));
    await after.commit(flightsOf(20, 30));
    expect(await idsOf()).toEqual(flightsOf(0, 30).map(({ id }) => id));
    const state = await readState({ store: store(), prefix: PREFIX });
    expect([...state.voids]).toEqual([4n]);
    // Both are at epoch 3 by now, and the other one has the claim.
    await expect(before.commit(flightsOf(30, 40))).rejects.toMatchObject({ code: 'EOS_FENCED' });
    expect(await idsOf()).toEqual(flightsOf(0, 30).map(({ id }) => id));
  });
});
