import { isEosError, type EarlierClaim } from '@eos/core';
import { runToEnd } from './pipelines.js';
import type { Suite } from './suite.js';
import { failureOf, positionOf, type World } from './world.js';

/** A destination that goes away and comes back. */
export function outages({ group, test }: Suite): void {
  group('outage', () => {
    test('what is called meanwhile fails in a way that may be tried again', async (world) => {
      const sink = await world.open({ route: 'faulty' });
      const session = await sink.recover(['0']);
      await world.commit(session, { '0': [0, 10] });
      await world.destination.outage.stop();
      await expectRetryable(world, world.commit(session, { '0': [10, 20] }));
      const replacing = new Map([['0', earlier(session.owner, 1n)]]);
      await expectRetryable(world, sink.recover(['0'], { replacing }));
      await expectRetryable(world, sink.positions());
      await world.destination.outage.start();
      const next = await sink.recover(['0'], { replacing });
      const { epoch, offset } = positionOf(next.positions, '0');
      world.expect({ epoch, offset }).toEqual({ epoch: 1n, offset: 10n });
      await world.commit(next, { '0': [10, 20] });
      await world.expectSpans([0, 20]);
    });

    for (const step of ['write', 'prepare'] as const) {
      test(`a destination that goes away after ${step} keeps nothing of the transaction`, async (world) => {
        const sink = await world.open({ route: 'faulty' });
        const session = await sink.recover(['0']);
        const transaction = await world[step](session, { '0': [0, 1000] });
        await world.destination.outage.stop();
        await failureOf(transaction.rollback());
        await failureOf(session.close());
        await world.destination.outage.start();
        const next = await sink.recover(['0'], { replacing: new Map([['0', earlier(session.owner, 0n)]]) });
        world.expectPosition(next.positions, '0', { epoch: 0n, offset: null });
        await world.expectSpans();
        await world.commit(next, { '0': [0, 10] });
        await world.expectSpans([0, 10]);
      });
    }

    test('opening fails in a way that may be tried again, and works once the destination is back', async (world) => {
      await world.destination.outage.stop();
      const opening = async () => {
        const sink = await world.open({ route: 'faulty' });
        await sink.recover(['0']);
      };
      await expectRetryable(world, opening());
      await world.destination.outage.start();
      await opening();
    });

    test('a pipeline waits for it, and ends with every row once', async (world) => {
      const { outage } = world.destination;
      let comingBack: Promise<void> = Promise.resolve();
      const result = await runToEnd(world, {
        rows: 100,
        rowsPerCommit: 10,
        onPoint: async (point, count) => {
          const isTime =
            (point === 'commit:before' && count === 3) || (point === 'write:between' && count === 12);
          if (!isTime) return;
          await outage.stop();
          comingBack = new Promise((resolve) => setTimeout(resolve, 100)).then(() => outage.start());
        },
      });
      await comingBack;
      world
        .expect({ reason: result.reason, rows: result.rows, hasRecovered: result.recoveries > 0 })
        .toEqual({
          reason: 'end',
          rows: 100,
          hasRecovered: true,
        });
      await world.expectSpans([0, 100]);
    });
  });
}

function earlier(owner: bigint, epoch: bigint): EarlierClaim {
  return { owners: new Set([owner]), epoch };
}

async function expectRetryable(world: World, call: Promise<unknown>): Promise<void> {
  const error = await failureOf(call);
  world.expect(isEosError(error) ? { retryable: error.retryable } : error).toEqual({ retryable: true });
}
