import type { Suite } from './suite.js';
import { positionOf, type Span } from './world.js';

/** Rows and positions become visible together, all at once, or not at all. */
export function atomicity({ group, test }: Suite): void {
  group('atomicity', () => {
    test('nothing is visible before the commit, and everything after it', async (world) => {
      const session = await world.claim();
      const reader = await world.open();
      const transaction = await world.write(session, { '0': [0, 100] });
      await world.expectSpans();
      await transaction.prepare();
      await world.expectSpans();
      world.expectPosition(await reader.positions(), '0', { epoch: 0n, offset: null, txId: null });
      await transaction.commit(world.range(session, { '0': [0, 100] }));
      await world.expectSpans([0, 100]);
      world.expectPosition(await reader.positions(), '0', { epoch: 1n, offset: 100n, txId: transaction.id });
    });

    test('a hundred and fifty partitions are claimed and moved together', async (world) => {
      const names = Array.from({ length: 150 }, (_, index) => `topic/${index}`);
      const spansOf = (first: number) =>
        Object.fromEntries(names.map((name, index): [string, Span] => [name, spanOfOne(first + index)]));
      const session = await world.claim(names);
      world.expect(session.positions.size).toEqual(names.length);
      await world.commit(session, spansOf(0));
      const { id } = await world.commit(session, spansOf(150));
      const next = await world.claim([...names].reverse());
      for (const [index, name] of names.entries()) {
        const expected = { epoch: 2n, offset: BigInt(index + 151), txId: id, owner: next.owner };
        world.expectPosition(next.positions, name, expected);
      }
      await world.expectSpans([0, 300]);
    });

    test('nothing is visible of a transaction too large for any buffer before its commit', async (world) => {
      const session = await world.claim();
      const transaction = await world.write(session, { '0': [0, 20_000] });
      await world.expectSpans();
      await transaction.prepare();
      await world.expectSpans();
      await transaction.commit(world.range(session, { '0': [0, 20_000] }));
      await world.expectSpans([0, 20_000]);
    });

    for (const step of ['write', 'prepare'] as const) {
      test(`a rollback after ${step} leaves nothing`, async (world) => {
        const session = await world.claim();
        await world.commit(session, { '0': [0, 10] });
        const before = positionOf(session.positions, '0');
        const transaction = await world[step](session, { '0': [10, 1000] });
        await transaction.rollback();
        await world.expectSpans([0, 10]);
        world.expectPosition(await (await world.open()).positions(), '0', before);
      });
    }

    test('a reader sees all rows of a commit or none, at any time', async (world) => {
      const session = await world.claim();
      const size = 2_000;
      const seen = new Set<number>();
      let isWriting = true;
      const reading = (async () => {
        while (isWriting) {
          seen.add((await world.destination.rows()).length);
          await turn();
        }
      })();
      try {
        for (let count = 0; count < 3; count++) {
          await world.commit(session, { '0': [count * size, (count + 1) * size] });
        }
      } finally {
        isWriting = false;
        await reading;
      }
      world.expect([...seen].filter((count) => count % size !== 0)).toEqual([]);
      await world.expectSpans([0, 3 * size]);
    });

    test('rows are never ahead of the position, nor behind it', async (world) => {
      const session = await world.claim();
      const reader = await world.open();
      const torn: string[] = [];
      let isWriting = true;
      const reading = (async () => {
        while (isWriting) {
          const offsetBefore = (await reader.positions()).get('0')?.offset ?? 0n;
          const rows = BigInt((await world.destination.rows()).length);
          const offsetAfter = (await reader.positions()).get('0')?.offset ?? 0n;
          if (rows < offsetBefore || rows > offsetAfter)
            torn.push(`${offsetBefore} <= ${rows} <= ${offsetAfter}`);
          await turn();
        }
      })();
      try {
        for (let count = 0; count < 20; count++)
          await world.commit(session, { '0': [count * 10, count * 10 + 10] });
      } finally {
        isWriting = false;
        await reading;
      }
      world.expect(torn).toEqual([]);
      await world.expectSpans([0, 200]);
    });

    test('the partitions of one transaction move with their rows, and no other does', async (world) => {
      const names = ['0', '1', '2', '3'];
      const session = await world.claim(names);
      await world.commit(session, { '0': [0, 10], '1': [100, 110], '2': [200, 210] });
      const last = await world.commit(session, { '1': [110, 120], '2': [210, 220] });
      const reader = await world.open();
      const positions = await reader.positions();
      world.expectPosition(positions, '0', { epoch: 1n, offset: 10n });
      world.expectPosition(positions, '1', { epoch: 2n, offset: 120n, txId: last.id });
      world.expectPosition(positions, '2', { epoch: 2n, offset: 220n, txId: last.id });
      world.expectPosition(positions, '3', { epoch: 0n, offset: null });
      const spans: Span[] = [
        [0, 10],
        [100, 120],
        [200, 220],
      ];
      await world.expectSpans(...spans);
    });
  });
}

function spanOfOne(id: number): Span {
  return [id, id + 1];
}

/** Lets others get on: a destination in memory answers without ever waiting. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
