import { runToEnd } from './pipelines.js';
import type { Suite } from './suite.js';
import { positionOf } from './world.js';

/** What is read again is not written again. */
export function replay({ group, test }: Suite): void {
  group('replay', () => {
    test('a range that was committed cannot be committed again from where it began', async (world) => {
      const start = { epoch: 0n, offset: null, txId: null, source: null };
      for (let claim = 0; claim < 2; claim++) {
        const session = await world.claim();
        if (claim === 0) await world.commit(session, { '0': [0, 10] });
        const transaction = await world.prepare(session, { '0': [0, 10] });
        const stale = new Map([['0', { ...positionOf(session.positions, '0'), ...start }]]);
        const again = transaction.commit({ ...world.range(session, { '0': [0, 10] }), from: stale });
        await world.expectCode(again, 'EOS_RANGE');
        await transaction.rollback();
      }
      await world.expectSpans([0, 10]);
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
