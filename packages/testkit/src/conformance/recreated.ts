import { isEosError, type EarlierClaim } from '@eos/core';
import { runToEnd } from './pipelines.js';
import type { Suite } from './suite.js';
import { failureOf, positionOf, type World } from './world.js';

/**
 * A destination that was dropped and made again is another one: the rows before the stored positions are gone, so going on from
 * there would leave a gap, and that it is empty does not say that it may start over.
 */
export function recreated({ group, test }: Suite): void {
  group('a destination made again', () => {
    test('stops a first claim, which changes nothing', async (world) => {
      const session = await world.claim();
      await world.commit(session, { '0': [0, 10] });
      const before = positionOf(session.positions, '0');
      if (!(await recreate(world))) return;
      await expectTargetChanged(world, world.claim());
      await expectTargetChanged(world, world.claim());
      await world.expectSpans();
      world.expectPosition(await (await world.open()).positions(), '0', before);
    });

    test('stops a later claim of the same process', async (world) => {
      const sink = await world.open();
      const session = await sink.recover(['0']);
      await world.commit(session, { '0': [0, 10] });
      if (!(await recreate(world))) return;
      const earlier: EarlierClaim = { owners: new Set([session.owner]), epoch: 1n };
      await expectTargetChanged(world, sink.recover(['0'], { replacing: new Map([['0', earlier]]) }));
      await world.expectSpans();
    });

    test('stops the claim of a partition that wrote to it, alone or beside others, and of no other', async (world) => {
      const session = await world.claim(['0', '1']);
      await world.commit(session, { '0': [0, 10] });
      if (!(await recreate(world))) return;
      const other = await world.claim(['1', '2']);
      await world.commit(other, { '1': [100, 110], '2': [200, 210] });
      await expectTargetChanged(world, world.claim(['0', '1', '2']));
      await expectTargetChanged(world, world.claim(['0']));
      await world.commit(other, { '1': [110, 120] });
      await world.expectSpans([100, 120], [200, 210]);
    });

    test('stops a pipeline, which does not try again', async (world) => {
      await runToEnd(world, { rows: 20, rowsPerCommit: 10 });
      if (!(await recreate(world))) return;
      let claims = 0;
      const onPoint = (point: string) => void (claims += point === 'recover:before' ? 1 : 0);
      await expectTargetChanged(world, runToEnd(world, { rows: 40, rowsPerCommit: 10, onPoint }));
      world.expect({ hasTriedAgain: claims > 1 }).toEqual({ hasTriedAgain: false });
      await world.expectSpans();
    });
  });
}

/** False where positions lie in the destination: there is nothing left of them that could be wrong. */
async function recreate({ destination }: World): Promise<boolean> {
  if (destination.recreate === undefined) return false;
  await destination.recreate();
  return true;
}

async function expectTargetChanged(world: World, call: Promise<unknown>): Promise<void> {
  const failure = await failureOf(call);
  const { code, retryable, outcome } = isEosError(failure) ? failure : {};
  world
    .expect(code === undefined ? (failure ?? 'success') : { code, retryable, outcome })
    .toEqual({ code: 'EOS_TARGET_CHANGED', retryable: false, outcome: 'aborted' });
}
