import type { Suite } from './suite.js';
import type { OpenOptions, World } from './world.js';

/** Several pipelines and several sinks on one destination do not know of each other. */
export function isolation({ group, test }: Suite): void {
  group('several pipelines and sinks on one destination', () => {
    test('the same partition of two pipelines, and of two sinks, has two positions', async (world) => {
      await expectApart(world, { pipeline: 'a', sink: 'x' }, { pipeline: 'b', sink: 'x' });
    });

    test('of two sinks of one pipeline too', async (world) => {
      await expectApart(world, { pipeline: 'a', sink: 'x' }, { pipeline: 'a', sink: 'y' });
    });

    for (const [left, right] of [
      [
        { pipeline: 'a', sink: 'b.c' },
        { pipeline: 'a.b', sink: 'c' },
      ],
      [
        { pipeline: 'a', sink: 'b-c' },
        { pipeline: 'a-b', sink: 'c' },
      ],
      [
        { pipeline: 'a', sink: 'b_c' },
        { pipeline: 'a_b', sink: 'c' },
      ],
      [
        { pipeline: 'a_c', sink: 'x' },
        { pipeline: 'abc', sink: 'x' },
      ],
      [
        { pipeline: 'A', sink: 'x' },
        { pipeline: 'a', sink: 'x' },
      ],
      [
        { pipeline: 'p'.repeat(128), sink: 'x' },
        { pipeline: `${'p'.repeat(127)}q`, sink: 'x' },
      ],
    ] as const) {
      const nameOf = ({ pipeline, sink }: OpenOptions) => `${(pipeline ?? '').slice(-8)}/${sink ?? ''}`;
      test(`${nameOf(left)} and ${nameOf(right)} are not mixed up`, async (world) => {
        await expectApart(world, left, right);
      });
    }

    test('they commit at the same time, and each finds its own', async (world) => {
      const pipelines = ['a', 'b', 'c', 'd'];
      await Promise.all(
        pipelines.map(async (pipeline, index) => {
          const session = await world.claim(['0'], { pipeline });
          const first = index * 1000;
          for (let count = 0; count < 10; count++) {
            await world.commit(session, { '0': [first + count * 10, first + count * 10 + 10] });
          }
        }),
      );
      for (const [index, pipeline] of pipelines.entries()) {
        const sink = await world.open({ pipeline });
        world.expectPosition(await sink.positions(), '0', { epoch: 10n, offset: BigInt(index * 1000 + 100) });
      }
      await world.expectSpans(...pipelines.map((_, index) => [index * 1000, index * 1000 + 100] as const));
    });

    test('the partitions of one pipeline are shared out among processes', async (world) => {
      const names = ['topic/0', 'topic/1', 'topic/2'];
      await Promise.all(
        names.map(async (name, index) => {
          const session = await world.claim([name]);
          for (let count = 0; count < 5; count++) {
            const first = index * 1000 + count * 10;
            await world.commit(session, { [name]: [first, first + 10] });
          }
        }),
      );
      const positions = await (await world.open()).positions();
      world.expect([...positions.keys()].sort()).toEqual(names);
      for (const name of names) world.expectPosition(positions, name, { epoch: 5n });
      await world.expectSpans([0, 50], [1000, 1050], [2000, 2050]);
    });
  });
}

/** Claims and commits of one do not show in the other, and do not fence it. */
async function expectApart(world: World, left: OpenOptions, right: OpenOptions): Promise<void> {
  const leftSession = await world.claim(['0'], left);
  await world.commit(leftSession, { '0': [0, 10] });
  const rightSession = await world.claim(['0'], right);
  world.expectPosition(rightSession.positions, '0', { epoch: 0n, offset: null });
  await world.commit(rightSession, { '0': [100, 110] });
  await world.commit(leftSession, { '0': [10, 20] });
  await world.commit(rightSession, { '0': [110, 120] });
  const leftPositions = await (await world.open(left)).positions();
  const rightPositions = await (await world.open(right)).positions();
  world.expect([leftPositions.size, rightPositions.size]).toEqual([1, 1]);
  world.expectPosition(leftPositions, '0', { epoch: 2n, offset: 20n, owner: leftSession.owner });
  world.expectPosition(rightPositions, '0', { epoch: 2n, offset: 120n, owner: rightSession.owner });
  await world.expectSpans([0, 20], [100, 120]);
}
