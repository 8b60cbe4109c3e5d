import { isEosError, randomId } from '@eos/core';
import type { Suite } from './suite.js';
import { failureOf, type TestSession, type TestTransaction, type World } from './world.js';

/** Law 2: a commit is a compare-and-set of owner and epoch, and the destination compares. */
export function compareAndSetLaw({ group, test }: Suite): void {
  group('law 2: commit is a compare-and-set', () => {
    test('another owner at the same epoch: rejected', async (world) => {
      const zombie = await world.claim();
      const transaction = await world.prepare(zombie, { '0': [0, 10] });
      const successor = await world.claim();
      await world.expectFenced(transaction.commit(world.range(zombie, { '0': [0, 10] })));
      await world.expectSpans();
      world.expectPosition(await (await world.open()).positions(), '0', {
        epoch: 0n,
        owner: successor.owner,
      });
      await world.commit(successor, { '0': [0, 10] });
      await world.expectSpans([0, 10]);
    });

    test('the same owner at a later epoch: rejected', async (world) => {
      const owner = randomId();
      const [left, right] = await twoSessions(world, owner);
      const transaction = await world.prepare(left, { '0': [0, 10] });
      await world.commit(right, { '0': [0, 10] });
      await world.expectFenced(transaction.commit(world.range(left, { '0': [0, 10] })));
      world.expectPosition(await (await world.open()).positions(), '0', {
        epoch: 1n,
        txId: right.positions.get('0')?.txId ?? null,
      });
      await world.expectSpans([0, 10]);
    });

    test('a zombie is rejected after its successor has committed, too', async (world) => {
      const zombie = await world.claim();
      await world.commit(zombie, { '0': [0, 10] });
      const transaction = await world.write(zombie, { '0': [10, 30] });
      const successor = await world.claim();
      await world.commit(successor, { '0': [10, 20] });
      await world.expectFenced(prepareAndCommit(world, zombie, transaction));
      await world.commit(successor, { '0': [20, 30] });
      await world.expectSpans([0, 30]);
    });

    test('a commit that only moves positions is compared as well', async (world) => {
      const zombie = await world.claim();
      const transaction = await zombie.begin();
      await transaction.prepare();
      const successor = await world.claim();
      await world.expectFenced(transaction.commit(world.range(zombie, { '0': [0, 10] })));
      world.expectPosition(await (await world.open()).positions(), '0', {
        epoch: 0n,
        owner: successor.owner,
      });
    });

    test('of two commits from the same position at the same time, exactly one wins', async (world) => {
      for (let round = 0; round < 10; round++) await raceTwoCommits(world, `race ${round}`, round * 100);
    });

    test('one partition that was lost decides for its transaction as declared', async (world) => {
      const zombie = await world.claim(['0', '1']);
      const spans = { '0': [0, 10], '1': [100, 110] } as const;
      const transaction = await world.prepare(zombie, spans);
      const successor = await world.claim(['1']);
      const error = await world.expectCode(transaction.commit(world.range(zombie, spans)), 'EOS_FENCED');
      const positions = await (await world.open()).positions();
      if (world.capabilities.atomic === 'transaction') {
        await world.expectSpans();
        world.expectPosition(positions, '0', { epoch: 0n });
      } else {
        const outcomes = Object.fromEntries(error.outcomes ?? []);
        world.expect(outcomes).toEqual({ '0': outcomes['0'], '1': 'aborted' });
        const hasLanded = outcomes['0'] === 'committed';
        await world.expectSpans(...(hasLanded ? [spans['0']] : []));
        world.expectPosition(positions, '0', { epoch: hasLanded ? 1n : 0n });
      }
      world.expectPosition(positions, '1', { epoch: 0n, owner: successor.owner });
    });
  });
}

/** Two sessions of two sinks that hold the same token, as two copies of one process's memory would. */
async function twoSessions(
  world: World,
  owner: bigint,
  partition = '0',
): Promise<[TestSession, TestSession]> {
  const [left, right] = [await world.open(), await world.open()];
  return [await left.recover([partition], { owner }), await right.recover([partition], { owner })];
}

async function prepareAndCommit(
  world: World,
  session: TestSession,
  transaction: TestTransaction,
): Promise<void> {
  await transaction.prepare();
  await transaction.commit(world.range(session, { '0': [10, 30] }));
}

async function raceTwoCommits(world: World, partition: string, first: number): Promise<void> {
  const sessions = await twoSessions(world, randomId(), partition);
  // Rows of their own, so that they collide in nothing but the position.
  const spans = [
    [first, first + 10],
    [first + 50, first + 60],
  ] as const;
  const [left, right] = [
    await world.prepare(sessions[0], { [partition]: spans[0] }),
    await world.prepare(sessions[1], { [partition]: spans[1] }),
  ];
  const failures = await Promise.all([
    failureOf(left.commit(world.range(sessions[0], { [partition]: spans[0] }))),
    failureOf(right.commit(world.range(sessions[1], { [partition]: spans[1] }))),
  ]);
  const codes = failures.map((failure) => (isEosError(failure) ? failure.code : (failure ?? 'success')));
  world.expect([...codes].sort()).toEqual(['EOS_FENCED', 'success']);
  const winner = codes.indexOf('success');
  const positions = await (await world.open()).positions();
  world.expectPosition(positions, partition, { epoch: 1n, txId: (winner === 0 ? left : right).id });
  const found = (await world.destination.rows()).filter(({ id }) => Number(id) >= first);
  world
    .expect(found.map(({ id }) => Number(id)).sort((a, b) => a - b))
    .toEqual(Array.from({ length: 10 }, (_, index) => first + winner * 50 + index));
}
