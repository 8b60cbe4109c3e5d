import { inspect } from 'node:util';
import { isEosError, randomId, type EarlierClaim, type Owner, type PartitionId } from '@eos/core';
import type { Suite } from './suite.js';
import {
  failureOf,
  positionOf,
  isCutOff,
  spanRows,
  type Span,
  type TestSession,
  type World,
} from './world.js';

/** Law 1: recover claims exactly what it is asked for, the latest claim wins, and when it returns the past is settled. */
export function claimLaw({ group, test }: Suite): void {
  group('law 1: claim and barrier', () => {
    test('a claim is for the named partitions only', async (world) => {
      const first = await world.claim(['0', '1']);
      await world.commit(first, { '0': [0, 10], '1': [100, 110] });
      const second = await world.claim(['1', '2']);
      world.expect([...second.positions.keys()].sort()).toEqual(['1', '2']);
      const positions = await (await world.open()).positions();
      world.expectPosition(positions, '0', { owner: first.owner, epoch: 1n });
      world.expectPosition(positions, '1', { owner: second.owner, epoch: 1n, offset: 110n });
      world.expectPosition(positions, '2', { owner: second.owner, epoch: 0n });
      await world.commit(first, { '0': [10, 20] });
      await world.commit(second, { '1': [110, 120], '2': [200, 210] });
      await world.expectSpans([0, 20], [100, 120], [200, 210]);
    });

    test('the latest claim wins, and the one before it can commit no more', async (world) => {
      const first = await world.claim();
      const second = await world.claim();
      const third = await world.claim();
      await world.expectLost(first, world.commit(first, { '0': [0, 10] }));
      await world.expectLost(second, world.commit(second, { '0': [0, 10] }));
      await world.commit(third, { '0': [0, 10] });
      await world.expectSpans([0, 10]);
    });

    test('a partition claimed twice in one call is claimed once', async (world) => {
      const sink = await world.open();
      const session = await sink.recover(['1', '0', '1']);
      world.expect([...session.positions.keys()].sort()).toEqual(['0', '1']);
    });

    for (const name of [
      'topic/0',
      'sub dir/ä 日本 😀.ndjson',
      `quote ' " \\ % _ $1 ; --`,
      'x'.repeat(200),
      'A',
      'a',
    ]) {
      const shown = name.length > 40 ? `${name.slice(0, 8)}… (${name.length} characters)` : name;
      test(`a partition may be called ${shown}`, async (world) => {
        const session = await world.claim([name, 'other']);
        await world.commit(session, { [name]: [0, 10] });
        const next = await world.claim([name]);
        world.expectPosition(next.positions, name, { epoch: 1n, offset: 10n, owner: next.owner });
        world.expectPosition(await (await world.open()).positions(), 'other', {
          epoch: 0n,
          owner: session.owner,
        });
      });
    }

    test('partitions whose names differ in case, or in the end only, are two', async (world) => {
      const names = ['a', 'A', 'a ', 'a/', `${'x'.repeat(200)}1`, `${'x'.repeat(200)}2`];
      const session = await world.claim(names);
      for (const [index, name] of names.entries()) {
        await world.commit(session, { [name]: [index * 100, index * 100 + 1 + index] });
      }
      const positions = await (await world.open()).positions();
      for (const [index, name] of names.entries()) {
        world.expectPosition(positions, name, { epoch: 1n, offset: BigInt(index * 100 + 1 + index) });
      }
    });

    test('the caller’s own token is what the destination stores', async (world) => {
      const owner = randomId();
      const session = await (await world.open()).recover(['0'], { owner });
      world.expect(session.owner).toEqual(owner);
      world.expectPosition(await (await world.open()).positions(), '0', { owner });
    });

    laterClaims({ test });

    test('claims and commits of the same partitions, each in an order of its own, do not lock each other out', async (world) => {
      for (let round = 0; round < 4; round++) await raceInOtherOrder(world, round);
      await world.expectSpans([0, 60], [100, 160], [200, 260], [300, 360]);
    });

    test('no commit of an earlier session takes effect once recover has returned', async (world) => {
      for (let round = 0; round < 12; round++) await raceCommitAgainstClaim(world, round);
    });
  });
}

function laterClaims({ test }: Pick<Suite, 'test'>): void {
  const knowing = (
    session: TestSession,
    epoch: bigint,
    ...owners: Owner[]
  ): ReadonlyMap<PartitionId, EarlierClaim> =>
    new Map([['0', { owners: new Set([session.owner, ...owners]), epoch }]]);

  test('a later claim of the same process goes through while nobody else has claimed', async (world) => {
    const sink = await world.open();
    const first = await sink.recover(['0']);
    await world.commit(first, { '0': [0, 10] });
    const second = await sink.recover(['0'], { replacing: knowing(first, 1n) });
    world.expectPosition(second.positions, '0', { epoch: 1n, offset: 10n, owner: second.owner });
    await world.expectLost(first, world.commit(first, { '0': [10, 20] }));
    await world.commit(second, { '0': [10, 20] });
    await world.expectSpans([0, 20]);
  });

  test('a later claim that finds another owner is fenced, and takes nothing from it', async (world) => {
    const sink = await world.open();
    const first = await sink.recover(['0']);
    const other = await world.claim();
    await world.expectFenced(sink.recover(['0'], { replacing: knowing(first, 0n) }));
    world.expectPosition(await sink.positions(), '0', { owner: other.owner });
    await world.commit(other, { '0': [0, 10] });
    await world.expectFenced(sink.recover(['0'], { replacing: knowing(first, 0n) }));
    await world.commit(other, { '0': [10, 20] });
    await world.expectSpans([0, 20]);
  });

  test('a claim whose answer was lost is known by its token', async (world) => {
    const sink = await world.open();
    const first = await sink.recover(['0']);
    const lost = randomId();
    await (await world.open()).recover(['0'], { owner: lost, replacing: knowing(first, 0n) });
    await world.expectFenced(sink.recover(['0'], { replacing: knowing(first, 0n) }));
    const again = await sink.recover(['0'], { replacing: knowing(first, 0n, lost) });
    await world.commit(again, { '0': [0, 10] });
    await world.expectSpans([0, 10]);
  });

  test('of two conditional claims at the same time, exactly one wins', async (world) => {
    for (let round = 0; round < 5; round++) {
      const partition = `race ${round}`;
      const first = await world.claim([partition]);
      const replacing = new Map([[partition, { owners: new Set([first.owner]), epoch: 0n }]]);
      const sinks = [await world.open(), await world.open()];
      const claims = sinks.map((sink) => sink.recover([partition], { replacing }));
      const failures = await Promise.all(claims.map(failureOf));
      world.expect(failures.filter((failure) => failure === undefined).length).toEqual(1);
      const positions = await (await world.open()).positions();
      for (const [index, claim] of claims.entries()) {
        if (failures[index] !== undefined) await world.expectFenced(claim);
        else world.expectPosition(positions, partition, { owner: (await claim).owner });
      }
    }
  });

  test('one partition that another holds fences the whole claim', async (world) => {
    const sink = await world.open();
    const first = await sink.recover(['0', '1']);
    const other = await world.claim(['1']);
    const earlier: EarlierClaim = { owners: new Set([first.owner]), epoch: 0n };
    const replacing = new Map([
      ['0', earlier],
      ['1', earlier],
    ]);
    await world.expectFenced(sink.recover(['0', '1'], { replacing }));
    await world.commit(other, { '1': [0, 10] });
    await world.expectSpans([0, 10]);
  });
}

/** Two sessions of one token claim, and then commit, the same partitions from either end. */
async function raceInOtherOrder(world: World, round: number): Promise<void> {
  const names = Array.from({ length: 6 }, (_, index) => `round ${round}/${index}`);
  const spans = names.map((name, index): [PartitionId, Span] => [name, spanAt(round, index)]);
  const owner = randomId();
  const orders = [spans, [...spans].reverse()];
  const claims = orders.map(async (order) => {
    const sink = await world.open();
    return await sink.recover(
      order.map(([name]) => name),
      { owner },
    );
  });
  const failures = await Promise.all(claims.map(failureOf));
  const commits = orders.map(async (order, index) => {
    const claim = claims[index];
    if (failures[index] !== undefined || claim === undefined) return;
    const session = await claim;
    // The rows in one order: what they lock is not the claim's affair.
    const transaction = await world.prepare(session, Object.fromEntries(spans));
    await transaction.commit(world.range(session, Object.fromEntries(order)));
  });
  failures.push(...(await Promise.all(commits.map(failureOf))));
  for (const failure of failures) {
    const isExpected = failure === undefined || isCutOff(failure) || isEosError(failure, 'EOS_FENCED');
    world.expect(isExpected && !/deadlock/i.test(inspect(failure)) ? 'ended' : failure).toEqual('ended');
  }
  const last = await world.claim(names);
  for (const [name, span] of spans) {
    if (positionOf(last.positions, name).epoch === 0n) await world.commit(last, { [name]: span });
  }
}

function spanAt(round: number, index: number): Span {
  const first = round * 100 + index * 10;
  return [first, first + 10];
}

/** However the two meet: what recover returned is what there is, and stays so. */
async function raceCommitAgainstClaim(world: World, round: number): Promise<void> {
  const partition = `race ${round}`;
  const span = [round * 100, round * 100 + 10] as const;
  const writer = await world.claim([partition]);
  const transaction = await world.prepare(writer, { [partition]: span });
  const range = world.range(writer, { [partition]: span });
  const successor = await world.open();
  const [session, failure] = await startedTogether(
    round,
    () => successor.recover([partition]),
    () => failureOf(transaction.commit(range)),
  );
  const { epoch, txId } = positionOf(session.positions, partition);
  const hasLanded = epoch === 1n;
  world.expect({ hasLanded, isOwn: txId === transaction.id }).toEqual({ hasLanded, isOwn: hasLanded });
  if (!hasLanded) {
    const answer = failure === undefined ? 'acknowledged, and not in the positions of recover' : 'failed';
    world.expect(answer).toEqual('failed');
  }
  const now = await (await world.open()).positions();
  world.expectPosition(now, partition, { epoch, txId, owner: session.owner });
  if (!hasLanded) await world.commit(session, { [partition]: span });
  const found = (await world.destination.rows()).filter(({ id }) => Number(id) >= span[0]);
  world.expectSame(spanRows(span), found);
}

/** In even rounds the first call starts first, in odd ones the second, a little later each time. */
async function startedTogether<A, B>(
  round: number,
  first: () => Promise<A>,
  second: () => Promise<B>,
): Promise<[A, B]> {
  const turns = round >> 1;
  return await Promise.all(
    round % 2 === 0 ? [first(), afterTurns(turns, second)] : [afterTurns(turns, first), second()],
  );
}

async function afterTurns<T>(turns: number, call: () => Promise<T>): Promise<T> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
  return await call();
}
