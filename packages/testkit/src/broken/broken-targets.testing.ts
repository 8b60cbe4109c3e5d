import {
  EosError,
  initialPosition,
  isEosError,
  randomId,
  type Claim,
  type Position,
  type Positions,
} from '@eos/core';
import { brokenSink, movePositions, type BrokenContext } from './broken-sink.testing.js';
import type { BrokenSink } from './catalogue.testing.js';

const group = 'a destination made again';

export const brokenTargets: readonly BrokenSink[] = [
  {
    name: 'does not look what its positions belong to',
    caughtBy: group,
    connect: brokenSink({ claim: (sink, claim) => claimAnyway(sink, claim, (found) => found) }),
  },
  {
    name: 'starts over where it finds the destination empty',
    caughtBy: group,
    connect: brokenSink({
      claim: (sink, claim) =>
        claimAnyway(sink, claim, (found) => ({
          ...found,
          epoch: 0n,
          offset: null,
          txId: null,
          source: null,
        })),
    }),
  },
  {
    name: 'tries again until the destination is the one it knew',
    caughtBy: group,
    connect: brokenSink({
      claim: async ({ store, context }, claim) => {
        try {
          return await store.claim(context, claim);
        } catch (cause) {
          if (!isEosError(cause, 'EOS_TARGET_CHANGED')) throw cause;
          throw new EosError('EOS_TARGET_CHANGED', 'not yet', { retryable: true, cause });
        }
      },
    }),
  },
  {
    name: 'takes a partition that never wrote for one that lost its rows',
    caughtBy: group,
    connect: brokenSink({
      claim: async (sink, claim) => {
        const target = await targetOf(sink);
        const found = await sink.store.positions(sink.context);
        const isStale = claim.partitions.some((name) => (found.get(name)?.target ?? target) !== target);
        if (isStale) throw new EosError('EOS_TARGET_CHANGED', 'another destination');
        return await sink.store.claim(sink.context, claim);
      },
    }),
  },
];

/** Claims also what belongs to an earlier destination, after doing something about it. */
async function claimAnyway(
  sink: BrokenContext,
  claim: Claim,
  mend: (found: Position) => Position,
): Promise<Positions> {
  try {
    return await sink.store.claim(sink.context, claim);
  } catch (error) {
    if (!isEosError(error, 'EOS_TARGET_CHANGED')) throw error;
    const target = await targetOf(sink);
    const found = await sink.store.positions(sink.context);
    const claimed = claim.partitions.map((name): [string, Position] => {
      const position = found.get(name) ?? initialPosition(claim.owner, target);
      return [name, { ...mend(position), owner: claim.owner, target }];
    });
    await movePositions(sink, new Map(claimed));
    return new Map(claimed);
  }
}

/** What the destination is now: a first claim of anything tells. */
async function targetOf({ store }: BrokenContext): Promise<string> {
  const context = { pipeline: 'probe', sink: 'probe' };
  const claim = {
    partitions: [randomId().toString()],
    owner: randomId(),
    replacing: new Map<string, never>(),
  };
  const [position] = (await store.claim(context, claim)).values();
  return position?.target ?? '';
}
