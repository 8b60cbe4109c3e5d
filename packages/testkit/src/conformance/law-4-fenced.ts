import { isEosError } from '@eos/core';
import { runToEnd } from './pipelines.js';
import type { Suite } from './suite.js';
import { failureOf, spanBatch } from './world.js';

/** Law 4: fenced means stop. */
export function fencedLaw({ group, test }: Suite): void {
  group('law 4: fenced means stop', () => {
    test('a fenced session is dead, and says so at every call', async (world) => {
      const session = await world.claim();
      const transaction = await world.prepare(session, { '0': [0, 10] });
      const successor = await world.claim();
      await world.expectLost(session, transaction.commit(world.range(session, { '0': [0, 10] })));
      await world.expectCode(session.begin(), 'EOS_SESSION_DEAD');
      await world.expectCode(transaction.write(spanBatch('0', [10, 20])), 'EOS_SESSION_DEAD');
      await world.expectCode(transaction.commit(world.range(session, { '0': [0, 10] })), 'EOS_SESSION_DEAD');
      await transaction.rollback();
      await session.close();
      await world.commit(successor, { '0': [0, 10] });
      await world.expectSpans([0, 10]);
    });

    test('a fenced process does not get its claim back by trying again', async (world) => {
      const sink = await world.open();
      const session = await sink.recover(['0']);
      const successor = await world.claim();
      await world.expectLost(session, world.commit(session, { '0': [0, 10] }));
      const earlier = { owners: new Set([session.owner]), epoch: 0n };
      for (let attempt = 0; attempt < 3; attempt++) {
        await world.expectFenced(sink.recover(['0'], { replacing: new Map([['0', earlier]]) }));
      }
      world.expectPosition(await sink.positions(), '0', { owner: successor.owner });
      await world.commit(successor, { '0': [0, 10] });
      await world.expectSpans([0, 10]);
    });

    test('a zombie does not disturb its successor, whatever it tries', async (world) => {
      const zombie = await world.claim();
      const left = await world.write(zombie, { '0': [0, 50] });
      const successor = await world.claim();
      await world.commit(successor, { '0': [0, 10] });
      await failureOf(left.write(spanBatch('0', [50, 60])));
      await world.commit(successor, { '0': [10, 20] });
      await failureOf(left.prepare());
      await failureOf(left.commit(world.range(zombie, { '0': [0, 60] })));
      await world.commit(successor, { '0': [20, 30] });
      await left.rollback();
      await zombie.close();
      await world.commit(successor, { '0': [30, 40] });
      await world.expectSpans([0, 40]);
    });

    test('two copies started by mistake do not take turns: one ends fenced, the other finishes', async (world) => {
      const script = { rows: 400, rowsPerCommit: 10, pauseMs: 2 };
      const [isUnderWay, isClaimed] = [signal(), signal()];
      // The first has come some way, and then waits for the second: however slow the machine is, they meet.
      const first = runToEnd(world, {
        ...script,
        onPoint: async (point, count) => {
          if (point !== 'commit:before' || count !== 3) return;
          isUnderWay.give();
          await isClaimed.given;
        },
      });
      await Promise.race([isUnderWay.given, failureOf(first)]);
      const second = runToEnd(world, {
        ...script,
        onPoint: (point) => {
          if (point === 'recover:after') isClaimed.give();
        },
      });
      const failures = await Promise.all([
        failureOf(first),
        failureOf(second).finally(() => isClaimed.give()),
      ]);
      const codes = failures.map((failure) => (isEosError(failure) ? failure.code : (failure ?? 'finished')));
      world.expect([...codes].sort()).toEqual(['EOS_FENCED', 'finished']);
      await world.expectSpans([0, 400]);
    });
  });
}

/** Something that one writer does and another waits for. */
function signal(): { readonly given: Promise<void>; readonly give: () => void } {
  let give: () => void = () => undefined;
  const given = new Promise<void>((resolve) => (give = resolve));
  return { given, give };
}
