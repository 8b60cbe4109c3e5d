import { Op } from '@eos/core';
import fc from 'fast-check';
import { expectedRows, type Change } from '../oracle/expected-rows.js';
import type { ConformanceRow } from './schema.js';
import type { Suite } from './suite.js';
import { batchOf, changelogOf, sampleRow, type Draw } from './workload.js';
import { SOURCE, type World } from './world.js';

const RUNS = 25;
/** How many smaller changelogs to try once one has failed: each is a few commits on a real destination. */
const SHRINK_TRIES = 60;
/** The ids of a run; each run has its own, so that many share one destination. */
const IDS_PER_RUN = 1_000;

/** Random changelogs, cut into batches and commits at random, end as the oracle says. */
export function changelogs({ group, test, seed }: Suite): void {
  group('changelogs', () => {
    test(`any changelog of the declared mode ends as the oracle says (seed ${seed})`, async (world) => {
      let run = 0;
      let triesLeft = SHRINK_TRIES;
      const property = fc.asyncProperty(drawsArbitrary, cutsArbitrary, async (draws, cuts) => {
        if (triesLeft === 0) return;
        if (triesLeft < SHRINK_TRIES) triesLeft--;
        try {
          await expectOracle(world, ++run, draws, cuts);
        } catch (error) {
          triesLeft = Math.min(triesLeft, SHRINK_TRIES - 1);
          throw error;
        }
      });
      await fc.assert(property, { seed, numRuns: RUNS });
    }, 120_000);

    test('equal rows in one batch, in two, and in two commits are all changes', async (world) => {
      const { changelog, key } = world.capabilities;
      const changes = Array.from({ length: 8 }, () => ({ row: sampleRow(1), op: Op.insert }));
      await commitAll(world, 'equal', changes, { batch: 2, commit: 4 });
      const options = { changelog, ...(key === undefined ? {} : { key }) };
      await world.expectRows(expectedRows(options, changes));
    });

    test('a key that comes and goes in one batch, or in one commit, is gone, also where it was there before', async (world) => {
      const { changelog, key } = world.capabilities;
      const changes = COMING_AND_GOING.filter(({ op }) => changelog !== 'append' || op === Op.insert);
      await commitAll(world, 'coming and going', changes, { batch: 2, commit: 4 });
      const options = { changelog, ...(key === undefined ? {} : { key }) };
      await world.expectRows(expectedRows(options, changes));
    });

    test('a changelog after a changelog: later commits see what earlier ones left', async (world) => {
      const draws = Array.from({ length: 120 }, (_, index) => ({
        action: index % 7,
        pick: index * 5,
        version: index,
      }));
      await expectOracle(world, 1, draws, { batch: 3, commit: 7 });
    });
  });
}

const natural = fc.nat({ max: 2 ** 20 });
const drawsArbitrary = fc.array(fc.record({ action: natural, pick: natural, version: fc.nat({ max: 99 }) }), {
  minLength: 1,
  maxLength: 60,
  // Otherwise most are of a handful: too few for changes to meet.
  size: 'max',
});
const cutsArbitrary = fc.record({
  batch: fc.integer({ min: 1, max: 20 }),
  commit: fc.integer({ min: 1, max: 40 }),
});

/** Two make a batch, four a commit. */
const COMING_AND_GOING: readonly Change<ConformanceRow>[] = [
  ...[comes(1), comes(2), comes(3), comes(5)],
  ...[comes(1, 1), goes(1, 1), comes(2, 1), comes(4)],
  ...[goes(2, 1), goes(4), goes(3), comes(3, 2)],
  ...[comes(5, 1), comes(6), goes(5, 1), goes(6)],
];

function comes(id: number, version = 0): Change<ConformanceRow> {
  return { row: sampleRow(id, version), op: Op.insert };
}

function goes(id: number, version = 0): Change<ConformanceRow> {
  return { row: sampleRow(id, version), op: Op.delete };
}

interface Cuts {
  /** Changes in a batch. */
  readonly batch: number;
  /** Changes in a commit. */
  readonly commit: number;
}

async function expectOracle(world: World, run: number, draws: readonly Draw[], cuts: Cuts): Promise<void> {
  const { changelog, key } = world.capabilities;
  const firstId = run * IDS_PER_RUN;
  const changes = changelogOf({ changelog, firstId }, draws);
  await commitAll(world, `run ${run}`, changes, cuts);
  const expected = expectedRows({ changelog, ...(key === undefined ? {} : { key }) }, changes);
  const found = (await world.destination.rows()).filter(
    ({ id }) => Number(id) >= firstId && Number(id) < firstId + IDS_PER_RUN,
  );
  world.expectSame(expected, found);
}

async function commitAll(
  world: World,
  partition: string,
  changes: readonly Change<ConformanceRow>[],
  cuts: Cuts,
): Promise<void> {
  const sink = await world.open();
  const session = await sink.recover([partition]);
  for (let first = 0; first < changes.length; first += cuts.commit) {
    const end = Math.min(changes.length, first + cuts.commit);
    const transaction = await session.begin();
    for (let start = first; start < end; start += cuts.batch) {
      await transaction.write(batchOf(changes, partition, start, Math.min(end, start + cuts.batch)));
    }
    await transaction.prepare();
    const to = new Map([[partition, { offset: BigInt(end), source: SOURCE }]]);
    await transaction.commit({ from: session.positions, to });
  }
  await sink.close();
}
