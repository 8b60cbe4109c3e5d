import { runToEnd } from './pipelines.js';
import type { Suite } from './suite.js';
import { positionOf, type TestSession } from './world.js';

/** What is read again is not written again. */
export function replay({ group, test }: Suite): void {
  group('replay', () => {
    test('a range that was committed cannot be committed again from where it began', async (world) => {
      const first = await world.claim();
      const old = new Map(first.positions);
      await world.commit(first, { '0': [0, 10] });
      const second = await world.claim();
      for (const session of [first, second]) {
        const stale = new Map([['0', { ...positionOf(old, '0'), owner: session.owner }]]);
        if (session === second) await world.expectCode(commitFrom(session, stale), 'EOS_RANGE');
        else await world.expectCode(commitFrom(session, stale), 'EOS_RANGE', 'EOS_FENCED');
      }
      await world.expectSpans([0, 10]);

      async function commitFrom(session: TestSession, from: typeof old): Promise<void> {
        const transaction = await world.prepare(session, { '0': [0, 10] });
        await transaction.commit({ ...world.range(session, { '0': [0, 10] }), from });
      }
    });

    test('a source that starts again earlier than asked does not double a row, crash after crash', async (world) => {
      for (let crash = 1; crash <= 3; crash++) {
        const run = runToEnd(world, {
          rows: 100,
          rowsPerCommit: 10,
          rereads: 25,
          onPoint: (point, count) => {
            if (point === 'commit:after' && count === crash + 1) throw new Error('the process ends here');
          },
        });
        await run.catch(() => undefined);
      }
      const result = await runToEnd(world, { rows: 100, rowsPerCommit: 10, rereads: 25 });
      world.expect(result.reason).toEqual('end');
      await world.expectSpans([0, 100]);
    });
  });
}
