import type { EarlierClaim } from '@eos/core';
import { runToEnd } from './pipelines.js';
import type { Suite } from './suite.js';
import type { Spans, TestSession, TestSink, World } from './world.js';

/** Law 5: a destination that went back (a restored backup, a failover that lost commits) is not a zombie's doing. */
export function regressedLaw({ group, test }: Suite): void {
  group('law 5: going back', () => {
    test('a commit on a destination that went back tells so, and adds nothing', async (world) => {
      const session = await world.claim();
      await world.commit(session, { '0': [0, 10] });
      await world.destination.history.save();
      await world.commit(session, { '0': [10, 20] });
      await world.destination.history.restore();
      await world.expectSpans([0, 10]);
      await expectRegressed(world, session, { '0': [20, 30] });
      await world.expectSpans([0, 10]);
    });

    test('recover then reads where the destination is, and everything is written again', async (world) => {
      const { sink, session } = await openedAndClaimed(world);
      await world.commit(session, { '0': [0, 10] });
      await world.destination.history.save();
      for (const first of [10, 20, 30]) await world.commit(session, { '0': [first, first + 10] });
      await world.destination.history.restore();
      await expectRegressed(world, session, { '0': [40, 50] });
      const next = await sink.recover(['0'], { replacing: replacing(session, 4n) });
      world.expectPosition(next.positions, '0', { epoch: 1n, offset: 10n });
      await world.commit(next, { '0': [10, 50] });
      await world.expectSpans([0, 50]);
    });

    test('it is judged before the owner: the claim was lost with the commits', async (world) => {
      const before = await world.claim();
      await world.commit(before, { '0': [0, 10] });
      await world.destination.history.save();
      const { sink, session } = await openedAndClaimed(world);
      await world.commit(session, { '0': [10, 20] });
      await world.destination.history.restore();
      world.expectPosition(await sink.positions(), '0', { epoch: 1n, owner: before.owner });
      await expectRegressed(world, session, { '0': [20, 30] });
      const next = await sink.recover(['0'], { replacing: replacing(session, 2n) });
      world.expectPosition(next.positions, '0', { epoch: 1n, offset: 10n, owner: next.owner });
      await world.commit(next, { '0': [10, 30] });
      await world.expectSpans([0, 30]);
    });

    test('back to before the first commit', async (world) => {
      const { sink, session } = await openedAndClaimed(world);
      await world.destination.history.save();
      await world.commit(session, { '0': [0, 10] });
      await world.destination.history.restore();
      await world.expectSpans();
      await expectRegressed(world, session, { '0': [10, 20] });
      const next = await sink.recover(['0'], { replacing: replacing(session, 1n) });
      world.expectPosition(next.positions, '0', { epoch: 0n, offset: null });
      await world.commit(next, { '0': [0, 20] });
      await world.expectSpans([0, 20]);
    });

    test('back to before the first claim: a record that is gone went back, too', async (world) => {
      // A destination makes what it needs for its records with the first of them.
      await world.claim(['other']);
      await world.destination.history.save();
      const { sink, session } = await openedAndClaimed(world);
      await world.commit(session, { '0': [0, 10] });
      await world.destination.history.restore();
      await world.expectSpans();
      await expectRegressed(world, session, { '0': [10, 20] });
      await world.expectSpans();
      const next = await sink.recover(['0'], { replacing: replacing(session, 1n) });
      world.expectPosition(next.positions, '0', { epoch: 0n, offset: null, txId: null, owner: next.owner });
      await world.commit(next, { '0': [0, 20] });
      await world.expectSpans([0, 20]);
    });

    for (const behind of ['0', '1'] as const) {
      test(`of two partitions, only ${behind} went back: nothing is added to either`, async (world) => {
        const session = await world.claim(['0', '1']);
        await world.commit(session, { '0': [0, 10], '1': [100, 110] });
        await world.destination.history.save();
        await world.commit(session, { [behind]: behind === '0' ? [10, 20] : [110, 120] });
        await world.destination.history.restore();
        await expectRegressed(world, session, { '0': [20, 30], '1': [120, 130] });
        await world.expectSpans([0, 10], [100, 110]);
        const positions = await (await world.open()).positions();
        for (const name of ['0', '1']) world.expectPosition(positions, name, { epoch: 1n });
      });
    }

    test('back to the same epoch under another owner is a fence, not a regression', async (world) => {
      const before = await world.claim();
      await world.commit(before, { '0': [0, 10] });
      await world.destination.history.save();
      const session = await world.claim();
      await world.destination.history.restore();
      await world.expectLost(session, world.commit(session, { '0': [10, 20] }));
      await world.expectSpans([0, 10]);
    });

    test('a pipeline seeks back and ends with every row once', async (world) => {
      const result = await runToEnd(world, {
        rows: 100,
        rowsPerCommit: 10,
        onPoint: async (point, count) => {
          if (point !== 'begin:before') return;
          if (count === 4) await world.destination.history.save();
          if (count === 8) await world.destination.history.restore();
        },
        // Nothing may be under way while the destination goes back.
        staging: false,
      });
      world
        .expect({ reason: result.reason, hasRecovered: result.recoveries > 0 })
        .toEqual({ reason: 'end', hasRecovered: true });
      await world.expectSpans([0, 100]);
    });
  });
}

async function openedAndClaimed(world: World): Promise<{ sink: TestSink; session: TestSession }> {
  const sink = await world.open();
  return { sink, session: await sink.recover(['0']) };
}

function replacing(session: TestSession, epoch: bigint): ReadonlyMap<string, EarlierClaim> {
  return new Map([['0', { owners: new Set([session.owner]), epoch }]]);
}

async function expectRegressed(world: World, session: TestSession, spans: Spans): Promise<void> {
  const error = await world.expectCode(world.commit(session, spans), 'EOS_POSITION_REGRESSED');
  const { retryable, outcome } = error;
  world.expect({ retryable, outcome }).toEqual({ retryable: true, outcome: 'aborted' });
  await world.expectCode(session.begin(), 'EOS_SESSION_DEAD');
}
