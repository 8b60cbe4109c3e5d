import { isEosError } from '@eos/core';
import type { CompleteResult, ObjectStore } from '@eos/object-store';
import type { CommitFault, CommitFaults } from '../conformance/destination.js';
import { etagOf } from './conditions.js';
import { uploaded } from './uploads.js';
import { bytesOf, textOf, type StoreSuite, type StoreWorld } from './suite.js';

const FAULTS: readonly CommitFault[] = ['answer-lost', 'request-lost', 'request-late'];
const ABSENT = { condition: { ifAbsent: true } } as const;

/** A write whose answer, or request, the network loses: what the call says must be what the store holds. */
export function lostAnswers({ group, test }: StoreSuite): void {
  group('lost answers', () => {
    for (const fault of FAULTS) {
      test(`a put, ${fault}: it knows its own write`, async (world) => {
        const put: Write = (store, key) => store.put(key, bytesOf('mine'), ABSENT);
        await settles(world, fault, put);
        await loses(world, fault, put);
      });

      test(`a completion, ${fault}: it knows its own write`, async (world) => {
        const direct = await world.open();
        const sealed = {
          alone: await uploaded(direct, 'alone', 'mine'),
          taken: await uploaded(direct, 'taken', 'mine'),
        };
        const complete: Write = (store, key) => store.complete(sealed[key], ABSENT);
        await settles(world, fault, complete);
        await loses(world, fault, complete);
      });
    }

    test('replacing by ifMatch, answer-lost: never called refused when it took effect', async (world) => {
      await troubled(world, async (direct, faulty, faults) => {
        const first = etagOf(await direct.put('key', bytesOf('first')));
        await faults.arm('answer-lost');
        const replaced = faulty.put('key', bytesOf('second'), { condition: { ifMatch: first } });
        const outcome = await outcomeOf(replaced);
        await world.expectText(direct, 'key', 'second');
        world.expect(outcome === 'stored' || outcome === 'unknown').toEqual(true);
      });
    });
  });
}

type Write = (store: ObjectStore, key: 'alone' | 'taken') => Promise<CompleteResult>;

/** Nobody else writes: the write is there once all is over, unless the call said that it isn't. */
async function settles(world: StoreWorld, fault: CommitFault, write: Write): Promise<void> {
  await troubled(world, async (direct, faulty, faults) => {
    await faults.arm(fault);
    const outcome = await outcomeOf(write(faulty, 'alone'));
    await faults.release();
    const found = await direct.get('alone');
    const holds = found !== undefined && textOf(found.body) === 'mine';
    if (outcome !== 'unknown') world.expect({ outcome, holds }).toEqual({ outcome: 'stored', holds: true });
  });
}

/** Somebody else was first: whatever the network does, theirs stays, and the call never says that it was ours. */
async function loses(world: StoreWorld, fault: CommitFault, write: Write): Promise<void> {
  await troubled(world, async (direct, faulty, faults) => {
    await direct.put('taken', bytesOf('theirs'));
    await faults.arm(fault);
    const outcome = await outcomeOf(write(faulty, 'taken'));
    await faults.release();
    world.expect(outcome === 'stored').toEqual(false);
    await world.expectText(direct, 'taken', 'theirs');
  });
}

async function troubled(
  world: StoreWorld,
  body: (direct: ObjectStore, faulty: ObjectStore, faults: CommitFaults) => Promise<void>,
): Promise<void> {
  const { faults } = world.harness;
  if (faults === undefined) throw new Error("a store within reach of a 'network' has faults");
  const [direct, faulty] = [await world.open(), await world.open('faulty')];
  // Connected before the fault is armed: it shall strike the write.
  await faulty.get('warm up');
  await body(direct, faulty, faults);
}

async function outcomeOf(call: Promise<CompleteResult>): Promise<'stored' | 'refused' | 'unknown'> {
  try {
    return (await call).stored ? 'stored' : 'refused';
  } catch (error) {
    if (isEosError(error, 'EOS_UNKNOWN_OUTCOME')) return 'unknown';
    throw error;
  }
}
