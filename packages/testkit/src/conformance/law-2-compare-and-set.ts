import { isEosError, randomId, type Outcome, type Position } from '@eos/core';
import type { Suite } from './suite.js';
import {
  failureOf,
  isCutOff,
  spanRows,
  type Span,
  type Spans,
  type TestSession,
  type TestTransaction,
  type World,
} from './world.js';

/** Law 2: a commit is a compare-and-set of owner and epoch, and the destination compares. */
export function compareAndSetLaw({ group, test }: Suite): void {
  group('law 2: commit is a compare-and-set', () => {
    test('another owner at the same epoch: rejected', async (world) => {
      const zombie = await world.claim();
      const transaction = await world.prepare(zombie, { '0': [0, 10] });
      const successor = await world.claim();
      await world.expectLost(zombie, transaction.commit(world.range(zombie, { '0': [0, 10] })));
      await world.expectSpans();
      world.expectPosition(await (await world.open()).positions(), '0', {
        epoch: 0n,
        owner: successor.owner,
      });
      await world.commit(successor, { '0': [0, 10] });
      await world.expectSpans([0, 10]);
    });

    test('the same owner at a later epoch: rejected', async (world) => {
      const [left, right] = await twoSessions(world, randomId());
      const commitLate = await readyToCommit(world, left, { '0': [50, 60] });
      const { id } = await world.commit(right, { '0': [0, 10] });
      expectRejected(world, await failureOf(commitLate()));
      world.expectPosition(await (await world.open()).positions(), '0', { epoch: 1n, offset: 10n, txId: id });
      await world.expectSpans([0, 10]);
    });

    test('a zombie is rejected after its successor has committed, too', async (world) => {
      const zombie = await world.claim();
      await world.commit(zombie, { '0': [0, 10] });
      const transaction = await world.write(zombie, { '0': [10, 30] });
      const successor = await world.claim();
      await world.commit(successor, { '0': [10, 20] });
      await world.expectLost(zombie, prepareAndCommit(world, zombie, transaction));
      await world.commit(successor, { '0': [20, 30] });
      await world.expectSpans([0, 30]);
    });

    test('a commit that only moves positions is compared as well', async (world) => {
      const zombie = await world.claim();
      const transaction = await zombie.begin();
      await transaction.prepare();
      const successor = await world.claim();
      await world.expectLost(zombie, transaction.commit(world.range(zombie, { '0': [0, 10] })));
      world.expectPosition(await (await world.open()).positions(), '0', {
        epoch: 0n,
        owner: successor.owner,
      });
    });

    test('of two commits from the same position at the same time, exactly one wins', async (world) => {
      for (let round = 0; round < 10; round++) await raceTwoCommits(world, `race ${round}`, round * 100);
    });

    for (const lost of THREE) {
      test(`of three partitions, ${lost} was lost to another owner: decided as declared`, async (world) => {
        const zombie = await world.claim(THREE);
        const transaction = await world.prepare(zombie, THREE_SPANS);
        const successor = await world.claim([lost]);
        const failure = await failureOf(transaction.commit(world.range(zombie, THREE_SPANS)));
        await expectRejectedFor(world, failure, lost, { epoch: 0n, owner: successor.owner });
      });

      test(`of three partitions, ${lost} has had a later commit: decided as declared`, async (world) => {
        const owner = randomId();
        const [left, right] = [await world.open(), await world.open()];
        const behind = await left.recover(THREE, { owner });
        const ahead = await right.recover([lost], { owner });
        const commitLate = await readyToCommit(world, behind, THREE_SPANS);
        const { id } = await world.commit(ahead, { [lost]: [900, 910] });
        await expectRejectedFor(
          world,
          await failureOf(commitLate()),
          lost,
          { epoch: 1n, offset: 910n, txId: id },
          [900, 910],
        );
      });
    }
  });
}

const THREE = ['first', 'middle', 'z last'] as const;
const THREE_SPANS = { first: [0, 10], middle: [100, 110], 'z last': [200, 210] } as const;

/** Nothing moves for the one partition that was lost, and for the others only where partitions are committed one by one. */
async function expectRejectedFor(
  world: World,
  failure: unknown,
  lost: (typeof THREE)[number],
  expected: Partial<Position>,
  ...spans: readonly Span[]
): Promise<void> {
  expectRejected(world, failure);
  const { outcomes = new Map<string, Outcome>(), outcome } = isEosError(failure) ? failure : {};
  const isWhole = world.capabilities.atomic === 'transaction';
  // What failed before the commit was aborted as a whole, and says so once.
  if (!isWhole) world.expect(outcomes.get(lost) ?? outcome).toEqual('aborted');
  const landed = THREE.filter((name) => !isWhole && outcomes.get(name) === 'committed');
  await world.expectSpans(...landed.map((name) => THREE_SPANS[name]), ...spans);
  const positions = await (await world.open()).positions();
  for (const name of THREE)
    world.expectPosition(
      positions,
      name,
      name === lost ? expected : { epoch: landed.includes(name) ? 1n : 0n },
    );
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
  const [left, right] = await twoSessions(world, randomId(), partition);
  // Rows of their own, so that they collide in nothing but the position.
  const commits = [
    await readyToCommit(world, left, { [partition]: [first, first + 10] }),
    await readyToCommit(world, right, { [partition]: [first + 50, first + 60] }),
  ];
  const failures = await Promise.all(commits.map((commit) => failureOf(commit())));
  const winner = failures.indexOf(undefined);
  world.expect(failures.filter((failure) => failure === undefined).length).toEqual(1);
  expectRejected(world, failures[1 - winner]);
  world.expectPosition(await (await world.open()).positions(), partition, { epoch: 1n });
  const found = (await world.destination.rows()).filter(({ id }) => Number(id) >= first);
  const won = first + winner * 50;
  world.expectSame(spanRows([won, won + 10]), found);
}

/**
 * Everything up to the commit, which is left to be called. A sink may have cut the connection of the one session when its twin
 * claimed: then there is nothing to commit, and the failure is what the call gives.
 */
async function readyToCommit(world: World, session: TestSession, spans: Spans): Promise<() => Promise<void>> {
  let failure: unknown;
  const transaction = await world.prepare(session, spans).catch((error: unknown) => void (failure = error));
  return async () => {
    if (transaction === undefined) throw failure;
    await transaction.commit(world.range(session, spans));
  };
}

/** Fenced, or cut off by who came later. */
function expectRejected(world: World, failure: unknown): void {
  const isRejected = isCutOff(failure) || isEosError(failure, 'EOS_FENCED');
  world.expect(isRejected ? 'rejected' : (failure ?? 'success')).toEqual('rejected');
}
