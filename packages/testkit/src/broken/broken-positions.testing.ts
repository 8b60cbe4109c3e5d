import type { PartitionId, Position, Positions } from '@eos/core';
import { brokenSink } from './broken-sink.testing.js';
import type { BrokenSink } from './catalogue.testing.js';

const lifeCycle = 'life cycle';

/** Sinks that compare as they should, and store something else than they were given. */
export const brokenPositions: readonly BrokenSink[] = [
  {
    name: 'keeps what the first commit counted in',
    caughtBy: lifeCycle,
    connect: storing((next, found) => ({ ...next, source: found?.source ?? next.source })),
  },
  {
    name: 'stores for all partitions what the first of them counts in',
    caughtBy: lifeCycle,
    connect: storing((next, _found, all) => ({ ...next, source: [...all.values()][0]?.source ?? null })),
  },
  {
    name: 'lets no watermark go back',
    caughtBy: lifeCycle,
    connect: storing((next, found) => ({ ...next, ...latest('watermark', next, found) })),
  },
  {
    name: 'lets no readTo go back',
    caughtBy: lifeCycle,
    connect: storing((next, found) => ({ ...next, ...latest('readTo', next, found) })),
  },
  {
    name: 'moves no more than a hundred partitions',
    caughtBy: 'atomicity',
    connect: brokenSink({
      commit: ({ store, context }, commit, batches) =>
        store.commit(context, { ...commit, next: new Map([...commit.next].slice(0, 100)) }, batches),
    }),
  },
];

/** A commit that stores what `bend` makes of each position. */
function storing(
  bend: (next: Position, found: Position | undefined, all: Positions) => Position,
): BrokenSink['connect'] {
  return brokenSink({
    commit: async ({ store, context }, commit, batches) => {
      const found = await store.positions(context);
      const next = [...commit.next].map(([name, position]): [PartitionId, Position] => [
        name,
        bend(position, found.get(name), commit.next),
      ]);
      await store.commit(context, { ...commit, next: new Map(next) }, batches);
    },
  });
}

function latest(
  name: 'watermark' | 'readTo',
  { [name]: next }: Position,
  found: Position | undefined,
): Partial<Position> {
  const before = found?.[name];
  return next !== undefined && before !== undefined && before > next ? { [name]: before } : {};
}
