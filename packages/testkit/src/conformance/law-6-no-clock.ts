import { setTimeout as delay } from 'node:timers/promises';
import { spawnWriter } from '../child/spawn-writer.js';
import type { WriterScript } from '../child/writer-script.js';
import type { Stop } from '../crash/stops.js';
import type { ChildConnector } from './destination.js';
import type { Suite } from './suite.js';
import { failureOf, type World } from './world.js';

/** How long a writer stands still. What a sink or its server gives up after is often longer, and must not matter either way. */
const STALL_MS = 2_000;

/** Law 6: no clock and no lease decides what is safe. */
export function noClockLaw({ group, test }: Suite): void {
  group('law 6: no clock decides', () => {
    test('a claim does not expire: after a long pause the session goes on', async (world) => {
      const session = await world.claim();
      await world.commit(session, { '0': [0, 10] });
      const transaction = await world.prepare(session, { '0': [10, 20] });
      await delay(STALL_MS);
      await transaction.commit(world.range(session, { '0': [10, 20] }));
      await world.expectSpans([0, 20]);
    });

    test('a successor does not wait for a writer that hangs with its rows written, and takes the same rows', async (world) => {
      const frozen = await world.claim();
      const transaction = await world.prepare(frozen, { '0': [0, 10] });
      const successor = await world.claim();
      await world.commit(successor, { '0': [0, 10] });
      await world.expectSpans([0, 10]);
      await failureOf(transaction.commit(world.range(frozen, { '0': [0, 10] })));
      await world.expectCode(frozen.begin(), 'EOS_SESSION_DEAD');
      world.expectPosition(await (await world.open()).positions(), '0', {
        epoch: 1n,
        owner: successor.owner,
      });
      await world.commit(successor, { '0': [10, 20] });
      await world.expectSpans([0, 20]);
    });

    for (const point of ['write:between', 'commit:before', 'commit:during'] as const) {
      test(`a writer frozen at ${point} wakes up long after its successor took over, and changes nothing`, async (world) => {
        const { child } = world.destination;
        if (child === undefined) await wakeUpInProcess(world);
        else await wakeUpChild(world, child, { point, count: 2 });
      });
    }
  });
}

const script: WriterScript = {
  kind: 'changelog',
  seed: 1,
  draws: 30,
  changesPerCommit: 10,
  changelog: 'append',
};

/** A process that is stopped by the system, with its connections open, is what a paused virtual machine looks like. */
async function wakeUpChild(world: World, child: ChildConnector, stopAt: Stop): Promise<void> {
  const writer = spawnWriter({ ...child, script, stopAt });
  try {
    await writer.stopped;
    writer.freeze();
    const successor = await world.claim();
    const first = Number(successor.positions.get('0')?.offset ?? 0n);
    await world.commit(successor, { '0': [first, first + 5] });
    await delay(STALL_MS / 2);
    writer.thaw();
    writer.resume();
    const failure = await failureOf(writer.result);
    // Its connection may be gone by now: what matters is that it is told to stop, one way or the other.
    const isTold =
      failure instanceof Error &&
      /^EOS_(FENCED|UNKNOWN_OUTCOME|UNAVAILABLE|SESSION_DEAD):/.test(failure.message);
    world.expect(isTold ? 'told' : failure).toEqual('told');
    await world.commit(successor, { '0': [first + 5, 30] });
    const found = (await world.destination.rows()).map(({ id }) => Number(id)).sort((a, b) => a - b);
    world.expect(found).toEqual(Array.from({ length: 30 }, (_, index) => index));
  } finally {
    await writer.kill();
  }
}

/** What lives and dies with this process has no other writer than this process. */
async function wakeUpInProcess(world: World): Promise<void> {
  const frozen = await world.claim();
  const transaction = await world.prepare(frozen, { '0': [0, 10] });
  const successor = await world.claim();
  await world.commit(successor, { '0': [0, 5] });
  await delay(STALL_MS / 10);
  await world.expectLost(frozen, transaction.commit(world.range(frozen, { '0': [0, 10] })));
  await world.commit(successor, { '0': [5, 30] });
  await world.expectSpans([0, 30]);
}
