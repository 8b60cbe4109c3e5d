import { Op, type CommitRange } from '@eos/core';
import { runScript, scriptChanges, type ChangelogScript } from '../child/writer-script.js';
import { expectedRows, type Change } from '../oracle/expected-rows.js';
import { crashAt } from './crash.js';
import type { CommitFault } from './destination.js';
import { runToEnd } from './pipelines.js';
import type { ConformanceRow } from './schema.js';
import type { Suite } from './suite.js';
import { badRow, batchOf, isBadRow, sampleRow } from './workload.js';
import { positionOf, sourceAt, type TestSession, type TestTransaction, type World } from './world.js';

const COUNT = 30;
const FAULTS: readonly CommitFault[] = ['answer-lost', 'request-lost', 'request-late'];

/** Rows of which every fifth is bad, as inserts. */
function mixedChanges(count = COUNT): Change<ConformanceRow>[] {
  return Array.from({ length: count }, (_, id) => ({
    row: id % 5 === 4 ? badRow(id) : sampleRow(id),
    op: Op.insert,
  }));
}

/** A bad row stands among the dead letters exactly when, and as often as, a good one would stand in the target. */
export function deadLetters({ group, test, seed }: Suite): void {
  const testLetters = (name: string, body: (world: World) => Promise<void>) =>
    test(name, async (world) => {
      if (world.capabilities.deadLetters) await body(world);
    });

  group('dead letters', () => {
    testLetters(
      'bad rows are set aside with their place, the others are written, and the position moves',
      async (world) => {
        const session = await world.claim();
        const transaction = await prepareMixed(session);
        world.expect(transaction.rejected?.counts.get('0')).toEqual(COUNT / 5);
        await transaction.commit(rangeTo(session, COUNT));
        await expectAll(world, mixedChanges());
        const positions = await (await world.open()).positions();
        world.expectPosition(positions, '0', { epoch: 1n, offset: BigInt(COUNT), txId: transaction.id });
      },
    );

    testLetters('a transaction of bad rows only moves the position', async (world) => {
      const session = await world.claim();
      const changes = mixedChanges().filter(({ row }) => isBadRow(row));
      const transaction = await session.begin();
      await transaction.write(batchOf(changes, '0', 0, changes.length));
      await transaction.prepare();
      await transaction.commit(rangeTo(session, COUNT));
      await expectAll(world, changes);
    });

    testLetters('nothing is set aside before the commit, nor after a rollback', async (world) => {
      const session = await world.claim();
      const transaction = await prepareMixed(session);
      world.expect(await world.letters()).toEqual([]);
      await transaction.rollback();
      await expectAll(world, []);
      const again = await prepareMixed(session);
      await again.commit(rangeTo(session, COUNT));
      await expectAll(world, mixedChanges());
    });

    testLetters('what a zombie has set aside is never seen', async (world) => {
      const zombie = await world.claim();
      const transaction = await prepareMixed(zombie);
      const range = rangeTo(zombie, COUNT);
      const session = await world.claim();
      await world.expectLost(zombie, transaction.commit(range));
      await expectAll(world, []);
      const next = await prepareMixed(session);
      await next.commit(rangeTo(session, COUNT));
      await expectAll(world, mixedChanges());
    });

    testLetters('every kind of lost answer leaves each bad row once', async (world) => {
      const faults = [...FAULTS, ...FAULTS];
      const changes = mixedChanges(90);
      await runToEnd(world, {
        changes,
        rowsPerCommit: 10,
        onPoint: async (point) => {
          if (point === 'recover:after') await world.destination.faults.release();
          const fault = point === 'commit:before' ? faults.shift() : undefined;
          if (fault !== undefined) await world.destination.faults.arm(fault);
        },
      });
      await world.destination.faults.release();
      world.expect(faults).toEqual([]);
      await expectAll(world, changes);
    });

    for (const point of ['write:between', 'prepare:after', 'commit:during', 'commit:after'] as const) {
      testLetters(`a crash at ${point} leaves each bad row once (seed ${seed})`, async (world) => {
        const { changelog } = world.capabilities;
        const script: ChangelogScript = {
          kind: 'changelog',
          changelog,
          seed,
          draws: 40,
          changesPerCommit: 12,
          badEvery: 4,
        };
        await crashAt(world, script, { point, count: 2 });
        const { positions } = await world.claim();
        const changes = scriptChanges(script);
        await expectAll(world, changes.slice(0, Number(positions.get('0')?.offset ?? 0n)));
        await runScript(world.destination.connector('direct'), script);
        await expectAll(world, changes);
      });
    }
  });
}

async function prepareMixed(session: TestSession): Promise<TestTransaction> {
  const changes = mixedChanges();
  const transaction = await session.begin();
  await transaction.write(batchOf(changes, '0', 0, 17));
  await transaction.write(batchOf(changes, '0', 17, COUNT));
  await transaction.prepare();
  return transaction;
}

function rangeTo(session: TestSession, end: number): CommitRange {
  const offset = BigInt(end);
  return {
    from: new Map([['0', positionOf(session.positions, '0')]]),
    to: new Map([['0', { offset, source: sourceAt('0', offset) }]]),
  };
}

/** The good changes are in the target, and the bad rows among the dead letters, each once. */
async function expectAll(world: World, changes: readonly Change<ConformanceRow>[]): Promise<void> {
  const { changelog, key } = world.capabilities;
  const good = changes.filter(({ row }) => !isBadRow(row));
  await world.expectRows(expectedRows({ changelog, ...(key === undefined ? {} : { key }) }, good));
  const letters = changes.flatMap(({ row }, offset) => (isBadRow(row) ? [`0@${offset}`] : []));
  world.expect(await world.letters()).toEqual(letters.sort());
}
