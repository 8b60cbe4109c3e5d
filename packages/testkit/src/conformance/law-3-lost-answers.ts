import { setTimeout as delay } from 'node:timers/promises';
import { isEosError } from '@eos/core';
import type { CommitFault } from './destination.js';
import { runToEnd } from './pipelines.js';
import type { Suite } from './suite.js';
import { failureOf, positionOf, type TestSession, type TestTransaction, type World } from './world.js';

const span = { '0': [0, 10] } as const;
const FAULTS: readonly CommitFault[] = ['answer-lost', 'request-lost', 'request-late'];

/** Law 3: absence proves nothing. The outcome is known by the txId that a barrier returns. */
export function lostAnswerLaw({ group, test }: Suite): void {
  group('law 3: lost answers', () => {
    for (const fault of FAULTS) {
      test(`${fault}: the outcome is unknown, and the session dead`, async (world) => {
        const { session, transaction } = await commitInto(world, fault);
        await world.expectCode(session.begin(), 'EOS_SESSION_DEAD');
        await world.expectCode(transaction.prepare(), 'EOS_SESSION_DEAD');
        await world.destination.faults.release();
      });
    }

    test('answer-lost: recover finds the commit by its txId', async (world) => {
      const { transaction } = await commitInto(world, 'answer-lost');
      const next = await world.claim();
      world.expectPosition(next.positions, '0', { epoch: 1n, offset: 10n, txId: transaction.id });
      await world.expectSpans([0, 10]);
      await world.commit(next, { '0': [10, 20] });
      await world.expectSpans([0, 20]);
    });

    test('answer-lost: a rollback after it deletes nothing, nor does closing', async (world) => {
      const { session, transaction } = await commitInto(world, 'answer-lost');
      await transaction.rollback();
      await world.expectSpans([0, 10]);
      await session.close();
      const next = await world.claim();
      world.expectPosition(next.positions, '0', { epoch: 1n, offset: 10n, txId: transaction.id });
      await world.expectSpans([0, 10]);
    });

    test('request-lost: recover does not find it, and the same rows are written again', async (world) => {
      const { transaction } = await commitInto(world, 'request-lost');
      await transaction.rollback();
      const next = await world.claim();
      world.expectPosition(next.positions, '0', { epoch: 0n, offset: null, txId: null });
      await world.expectSpans();
      await world.commit(next, span);
      await world.expectSpans([0, 10]);
    });

    for (const fault of ['answer-lost', 'request-lost'] as const) {
      test(`${fault}: recover tells it for each of two partitions`, async (world) => {
        const spans = { '0': [0, 10], '1': [100, 110] } as const;
        const session = await world.claim(['0', '1'], { route: 'faulty' });
        const transaction = await world.prepare(session, spans);
        await world.destination.faults.arm(fault);
        await world.expectUnknown(transaction.commit(world.range(session, spans)));
        const next = await world.claim(['0', '1']);
        const landed = (['0', '1'] as const).filter(
          (name) => positionOf(next.positions, name).txId === transaction.id,
        );
        if (world.capabilities.atomic === 'transaction')
          world.expect(landed).toEqual(fault === 'answer-lost' ? ['0', '1'] : []);
        await world.expectSpans(...landed.map((name) => spans[name]));
        for (const name of ['0', '1'] as const) {
          const hasLanded = landed.includes(name);
          world.expectPosition(next.positions, name, { epoch: hasLanded ? 1n : 0n });
          if (!hasLanded) await world.commit(next, { [name]: spans[name] });
        }
        await world.expectSpans([0, 10], [100, 110]);
      });
    }

    test('request-late: it takes no effect when it arrives after recover', async (world) => {
      await commitInto(world, 'request-late');
      const next = await world.claim();
      world.expectPosition(next.positions, '0', { epoch: 0n, offset: null, txId: null });
      await world.destination.faults.release();
      await expectNothingHappens(world, next);
      await world.commit(next, span);
      await world.expectSpans([0, 10]);
    });

    test('request-late: nor when it arrives after the next commit', async (world) => {
      await commitInto(world, 'request-late');
      const next = await world.claim();
      const replay = await world.commit(next, span);
      await world.destination.faults.release();
      await delay(100);
      world.expectPosition(await (await world.open()).positions(), '0', {
        epoch: 1n,
        offset: 10n,
        txId: replay.id,
      });
      await world.commit(next, { '0': [10, 20] });
      await world.expectSpans([0, 20]);
    });

    test('request-late: before recover it may land, and recover tells', async (world) => {
      const { transaction } = await commitInto(world, 'request-late');
      await world.destination.faults.release();
      const next = await world.claim();
      const { epoch, txId } = positionOf(next.positions, '0');
      const hasLanded = epoch === 1n;
      world.expect(txId).toEqual(hasLanded ? transaction.id : null);
      await world.expectSpans(...(hasLanded ? [span['0']] : []));
      if (!hasLanded) await world.commit(next, span);
      await world.expectSpans([0, 10]);
    });

    test('a transaction begun before recover cannot be committed after it', async (world) => {
      const sink = await world.open();
      const session = await sink.recover(['0']);
      const transaction = await world.write(session, span);
      const next = await sink.recover(['0']);
      const failure = await failureOf(prepareAndCommit(world, session, transaction));
      world.expect(isEosError(failure) ? 'failed' : (failure ?? 'success')).toEqual('failed');
      await expectNothingHappens(world, next);
      await world.commit(next, span);
      await world.expectSpans([0, 10]);
    });

    test('a pipeline settles every kind of lost answer by itself', async (world) => {
      const faults = [...FAULTS, ...FAULTS];
      const result = await runToEnd(world, {
        rows: 90,
        rowsPerCommit: 10,
        onPoint: async (point) => {
          if (point === 'recover:after') await world.destination.faults.release();
          const fault = point === 'commit:before' ? faults.shift() : undefined;
          if (fault !== undefined) await world.destination.faults.arm(fault);
        },
      });
      world
        .expect({ reason: result.reason, rows: result.rows, left: faults })
        .toEqual({ reason: 'end', rows: 90, left: [] });
      await world.destination.faults.release();
      await world.expectSpans([0, 90]);
    });
  });
}

/** Commits ten rows through a fault. */
async function commitInto(
  world: World,
  fault: CommitFault,
): Promise<{ session: TestSession; transaction: TestTransaction }> {
  const session = await world.claim(['0'], { route: 'faulty' });
  const transaction = await world.prepare(session, span);
  const range = world.range(session, span);
  await world.destination.faults.arm(fault);
  await world.expectUnknown(transaction.commit(range));
  return { session, transaction };
}

async function prepareAndCommit(
  world: World,
  session: TestSession,
  transaction: TestTransaction,
): Promise<void> {
  await transaction.prepare();
  await transaction.commit(world.range(session, span));
}

/** Neither at once nor a little later. */
async function expectNothingHappens(world: World, owner: TestSession): Promise<void> {
  for (const wait of [0, 100]) {
    await delay(wait);
    await world.expectSpans();
    world.expectPosition(await (await world.open()).positions(), '0', {
      epoch: 0n,
      txId: null,
      owner: owner.owner,
    });
  }
}
