import type { Suite } from './suite.js';
import { SOURCE, type World } from './world.js';

/** A commit without rows moves positions, and nothing else: a filter that keeps no row must get on all the same. */
export function emptyCommits({ group, test }: Suite): void {
  group('empty commits', () => {
    test('move the position, count as commits, and leave the rows alone', async (world) => {
      const session = await world.claim();
      await world.commit(session, { '0': [0, 10] });
      for (let count = 1; count <= 3; count++) {
        const id = await commitEmpty(world, session, { '0': BigInt(10 + count) });
        world.expectPosition(await (await world.open()).positions(), '0', {
          epoch: BigInt(count + 1),
          offset: BigInt(10 + count),
          txId: id,
        });
      }
      await world.expectSpans([0, 10]);
    });

    test('may leave the offset where it is', async (world) => {
      const session = await world.claim();
      await world.commit(session, { '0': [0, 10] });
      await commitEmpty(world, session, { '0': 10n });
      world.expectPosition(await (await world.open()).positions(), '0', { epoch: 2n, offset: 10n });
      await world.expectSpans([0, 10]);
    });

    test('move one partition without rows beside another with rows', async (world) => {
      const session = await world.claim(['0', '1']);
      const transaction = await world.prepare(session, { '0': [0, 10] });
      const { from, to } = world.range(session, { '0': [0, 10], '1': [0, 7] });
      await transaction.commit({ from, to });
      const positions = await (await world.open()).positions();
      world.expectPosition(positions, '0', { epoch: 1n, offset: 10n, txId: transaction.id });
      world.expectPosition(positions, '1', { epoch: 1n, offset: 7n, txId: transaction.id });
      await world.expectSpans([0, 10]);
    });

    test('are enough for a first commit', async (world) => {
      await commitEmpty(world, await world.claim(), { '0': 5n });
      const next = await world.claim();
      world.expectPosition(next.positions, '0', { epoch: 1n, offset: 5n, source: SOURCE });
      await world.expectSpans();
    });
  });
}

async function commitEmpty(
  world: World,
  session: Awaited<ReturnType<World['claim']>>,
  offsets: Readonly<Record<string, bigint>>,
): Promise<bigint> {
  const transaction = await session.begin();
  await transaction.prepare();
  const { from } = world.range(
    session,
    Object.fromEntries(Object.keys(offsets).map((name) => [name, [0, 0]])),
  );
  const to = new Map(Object.entries(offsets).map(([name, offset]) => [name, { offset, source: SOURCE }]));
  await transaction.commit({ from, to });
  return transaction.id;
}
