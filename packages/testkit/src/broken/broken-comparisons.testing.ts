import {
  EosError,
  fencedError,
  judgeCommit,
  regressedError,
  type DriverCommit,
  type Position,
  type Positions,
} from '@eos/core';
import { applyRows, brokenSink, movePositions, turn, type BrokenContext } from './broken-sink.testing.js';
import type { BrokenSink } from './catalogue.testing.js';

const law2 = 'law 2: commit is a compare-and-set';
const law4 = 'law 4: fenced means stop';
const law5 = 'law 5: going back';

export const brokenComparisons: readonly BrokenSink[] = [
  {
    name: 'compares only the counter',
    caughtBy: law2,
    connect: brokenSink({ commit: comparing((from, found) => ({ ...from, owner: found.owner })) }),
  },
  {
    name: 'compares only the owner',
    caughtBy: law2,
    connect: brokenSink({ commit: comparing((from, found) => ({ ...from, epoch: found.epoch })) }),
  },
  {
    name: 'compares nothing',
    caughtBy: law2,
    connect: brokenSink({
      commit: ({ store, context }, commit, batches) =>
        store.commit(context, { ...commit, from: new Map() }, batches),
    }),
  },
  {
    name: 'compares only the first partition',
    caughtBy: law2,
    connect: brokenSink({
      commit: ({ store, context }, commit, batches) =>
        store.commit(context, { ...commit, from: new Map([...commit.from].slice(0, 1)) }, batches),
    }),
  },
  {
    name: 'compares only the last partition',
    caughtBy: law2,
    connect: brokenSink({
      commit: ({ store, context }, commit, batches) =>
        store.commit(context, { ...commit, from: new Map([...commit.from].slice(-1)) }, batches),
    }),
  },
  {
    name: 'compares only the first and the last partition',
    caughtBy: law2,
    connect: brokenSink({
      commit: ({ store, context }, commit, batches) =>
        store.commit(context, { ...commit, from: firstAndLast(commit.from) }, batches),
    }),
  },
  {
    name: 'compares in the client, and then writes',
    caughtBy: law2,
    connect: brokenSink({
      commit: async (sink, commit, batches) => {
        judge(await sink.store.positions(sink.context), commit);
        await turn();
        await sink.store.commit(sink.context, { ...commit, from: new Map() }, batches);
      },
    }),
  },
  {
    name: 'compares with what it remembers of its own claim',
    caughtBy: law2,
    connect: brokenSink({
      claim: async ({ store, context, memory }, claim) => {
        const claimed = await store.claim(context, claim);
        for (const [name] of claimed) memory.set(name, claim.owner);
        return claimed;
      },
      commit: async ({ store, context, memory }, commit, batches) => {
        for (const [name, { owner }] of commit.from) if (memory.get(name) !== owner) throw fencedError(name);
        await store.commit(context, { ...commit, from: new Map() }, batches);
      },
    }),
  },
  {
    name: 'takes a comparison that failed for a success, since nothing was changed',
    caughtBy: law2,
    connect: brokenSink({
      commit: async (sink, commit, batches) => {
        await sink.store.commit(sink.context, commit, []).catch(() => undefined);
        await applyRows(sink, batches);
      },
    }),
  },
  {
    name: 'leaves the rows there when the comparison fails',
    caughtBy: law2,
    connect: brokenSink({
      commit: async (sink, commit, batches) => {
        await applyRows(sink, batches);
        await sink.store.commit(sink.context, commit, []);
      },
    }),
  },
  {
    name: 'declares one transaction, and moves one partition after the other',
    caughtBy: law2,
    connect: brokenSink({
      commit: async ({ store, context }, { from, next, hasRows }, batches) => {
        for (const [name, position] of from) {
          const target = next.get(name);
          if (target === undefined) continue;
          const own = batches.filter(({ partition }) => partition === name);
          await store.commit(
            context,
            { from: new Map([[name, position]]), next: new Map([[name, target]]), hasRows },
            own,
          );
        }
      },
    }),
  },
  {
    name: 'does not compare what only moves positions',
    caughtBy: law2,
    connect: brokenSink({
      commit: async (sink, commit, batches) => {
        if (commit.hasRows) await sink.store.commit(sink.context, commit, batches);
        else await movePositions(sink, commit.next);
      },
    }),
  },
  {
    name: 'says of a fence that it may be tried again',
    caughtBy: law4,
    connect: brokenSink({
      commit: async ({ store, context }, commit, batches) => {
        try {
          await store.commit(context, commit, batches);
        } catch (cause) {
          throw new EosError('EOS_FENCED', 'fenced for now', { retryable: true, cause });
        }
      },
    }),
  },
  {
    name: 'claims again when it is fenced, and takes turns',
    caughtBy: law4,
    connect: brokenSink({
      commit: async ({ store, context }, commit, batches) => {
        try {
          await store.commit(context, commit, batches);
        } catch {
          const partitions = [...commit.from.keys()];
          const owner = [...commit.from.values()][0]?.owner ?? 0n;
          const from = await store.claim(context, { partitions, owner, replacing: new Map() });
          await store.commit(context, { ...commit, from }, batches);
        }
      },
    }),
  },
  {
    name: 'judges the owner before the epoch',
    caughtBy: law5,
    connect: brokenSink({
      commit: async ({ store, context }, commit, batches) => {
        const found = await store.positions(context);
        for (const [name, { owner }] of commit.from)
          if (found.get(name)?.owner !== owner) throw fencedError(name);
        await store.commit(context, commit, batches);
      },
    }),
  },
  {
    name: 'goes on where the destination went back, and leaves a gap',
    caughtBy: law5,
    connect: brokenSink({
      commit: comparing((from, found) =>
        found.epoch < from.epoch ? { ...from, epoch: found.epoch, owner: found.owner } : from,
      ),
    }),
  },
  {
    name: 'takes a destination that went back for a fence',
    caughtBy: law5,
    connect: brokenSink({
      commit: async ({ store, context }, commit, batches) => {
        const found = await store.positions(context);
        for (const [name, { epoch }] of commit.from)
          if (found.get(name)?.epoch !== epoch) throw fencedError(name);
        await store.commit(context, commit, batches);
      },
    }),
  },
  {
    name: 'takes another owner for a destination that went back',
    caughtBy: law5,
    connect: brokenSink({
      commit: async ({ store, context }, commit, batches) => {
        const found = await store.positions(context);
        for (const [name, { epoch, owner }] of commit.from) {
          if (found.get(name)?.owner !== owner)
            throw regressedError(name, epoch, found.get(name)?.epoch ?? 0n);
        }
        await store.commit(context, commit, batches);
      },
    }),
  },
  {
    name: 'takes a position that is gone for one to be made',
    caughtBy: law5,
    connect: brokenSink({
      commit: async ({ store, context }, commit, batches) => {
        const found = await store.positions(context);
        const from = [...commit.from].filter(([name]) => found.has(name));
        await store.commit(context, { ...commit, from: new Map(from) }, batches);
      },
    }),
  },
  {
    name: 'takes it for a fence when a partition after the first went back',
    caughtBy: law5,
    connect: brokenSink({
      commit: async ({ store, context }, commit, batches) => {
        const found = await store.positions(context);
        for (const [name, { epoch }] of [...commit.from].slice(1))
          if ((found.get(name)?.epoch ?? 0n) < epoch) throw fencedError(name);
        await store.commit(context, commit, batches);
      },
    }),
  },
  {
    name: 'does not let its process claim a destination that went back under another owner',
    caughtBy: law5,
    connect: brokenSink({
      claim: async ({ store, context }, claim) => {
        const found = await store.positions(context);
        for (const [name, { owners }] of claim.replacing) {
          const record = found.get(name);
          if (record !== undefined && !owners.has(record.owner)) throw fencedError(name);
        }
        return await store.claim(context, claim);
      },
    }),
  },
];

function firstAndLast(from: Positions): Positions {
  return new Map([...from].filter((_, index) => index === 0 || index === from.size - 1));
}

/** A commit whose comparison is bent: `bend` gives what is compared, of what should be and what is there. */
function comparing(bend: (from: Position, found: Position) => Position) {
  return async (
    { store, context }: BrokenContext,
    commit: DriverCommit,
    batches: Parameters<typeof applyRows>[1],
  ): Promise<void> => {
    const found = await store.positions(context);
    const from = [...commit.from].map(
      ([name, position]) => [name, bend(position, found.get(name) ?? position)] as const,
    );
    await store.commit(context, { ...commit, from: new Map(from) }, batches);
  };
}

function judge(found: Positions, commit: DriverCommit): void {
  for (const [name, position] of commit.from) judgeCommit(name, found.get(name), position);
}
