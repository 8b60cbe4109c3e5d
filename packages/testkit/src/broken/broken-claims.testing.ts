import {
  EosError,
  fencedError,
  judgeClaim,
  randomId,
  type Claim,
  type Position,
  type Positions,
} from '@eos/core';
import { brokenSink, movePositions, turn, type BrokenContext } from './broken-sink.testing.js';
import type { BrokenSink } from './catalogue.testing.js';

const group = 'law 1: claim and barrier';

export const brokenClaims: readonly BrokenSink[] = [
  {
    name: 'does not write its claim',
    caughtBy: group,
    connect: brokenSink({
      claim: async (sink, claim) => ownedBy(claim, await withRecords(sink, claim)),
      commit: async ({ store, context }, { from, next, hasRows }, batches) => {
        const found = await store.positions(context);
        const compared = [...from].map(
          ([name, position]) => [name, { ...position, owner: found.get(name)?.owner ?? 0n }] as const,
        );
        await store.commit(context, { from: new Map(compared), next, hasRows }, batches);
      },
    }),
  },
  {
    name: 'claims more partitions than asked for',
    caughtBy: group,
    connect: brokenSink({
      claim: async ({ store, context }, claim) => {
        const partitions = [...new Set([...(await store.positions(context)).keys(), ...claim.partitions])];
        const claimed = await store.claim(context, { ...claim, partitions });
        return new Map([...claimed].filter(([name]) => claim.partitions.includes(name)));
      },
    }),
  },
  {
    name: 'returns from recover before the claim has landed',
    caughtBy: group,
    connect: brokenSink({
      claim: async (sink, claim) => {
        const found = await withRecords(sink, claim);
        setTimeout(() => void sink.store.claim(sink.context, claim).catch(() => undefined), 1);
        return ownedBy(claim, found);
      },
    }),
  },
  {
    name: 'reads the positions, and then claims',
    caughtBy: group,
    connect: brokenSink({
      claim: async ({ store, context }, claim) => {
        const found = await store.positions(context);
        await turn();
        await turn();
        const claimed = await store.claim(context, claim);
        return new Map(
          [...claimed].map(([name, position]) => [
            name,
            { ...(found.get(name) ?? position), owner: claim.owner },
          ]),
        );
      },
    }),
  },
  {
    name: 'takes over whatever it finds, also with a later claim',
    caughtBy: group,
    connect: brokenSink({
      claim: ({ store, context }, claim) => store.claim(context, { ...claim, replacing: new Map() }),
    }),
  },
  {
    name: 'judges a claim in the client, and then writes it',
    caughtBy: group,
    connect: brokenSink({
      claim: async ({ store, context }, claim) => {
        const found = await store.positions(context);
        for (const name of claim.partitions) judgeClaim(name, found.get(name), claim.replacing.get(name));
        await turn();
        return await store.claim(context, { ...claim, replacing: new Map() });
      },
    }),
  },
  {
    name: 'does not know its own token again',
    caughtBy: group,
    connect: brokenSink({
      claim: async ({ store, context }, claim) => {
        const found = await store.positions(context);
        const stranger = claim.partitions.find((name) => claim.replacing.has(name) && found.has(name));
        if (stranger !== undefined) throw fencedError(stranger);
        return await store.claim(context, claim);
      },
    }),
  },
  {
    name: 'claims one partition after the other, and keeps some when it is fenced',
    caughtBy: group,
    connect: brokenSink({
      claim: async ({ store, context }, claim) => {
        const claimed = new Map<string, Position>();
        for (const name of [...claim.partitions].reverse()) {
          const replacing = name === '1' ? new Map<string, never>() : claim.replacing;
          for (const entry of await store.claim(context, { ...claim, partitions: [name], replacing }))
            claimed.set(...entry);
        }
        return claimed;
      },
    }),
  },
  {
    name: 'takes partition names for the same that differ in case',
    caughtBy: group,
    connect: brokenSink({
      commit: async (sink, commit, batches) => {
        await sink.store.commit(sink.context, commit, batches);
        const found = await sink.store.positions(sink.context);
        const same = [...found].filter(([name]) =>
          [...commit.next.keys()].some((other) => isSame(name, other)),
        );
        const [last] = [...commit.next.values()].slice(-1);
        if (last !== undefined)
          await movePositions(
            sink,
            new Map(same.map(([name, position]) => [name, { ...last, owner: position.owner }])),
          );
      },
    }),
  },
  {
    name: 'locks partitions in the order in which they are named to it',
    caughtBy: group,
    connect: brokenSink({
      commit: async (sink, commit, batches) => {
        const held: string[] = [];
        try {
          for (const name of commit.from.keys()) held.push(await locked(sink, name));
          await sink.store.commit(sink.context, commit, batches);
        } finally {
          for (const name of held) locksOf(sink).delete(name);
        }
      },
    }),
  },
  {
    name: 'shares positions among pipelines',
    caughtBy: 'several pipelines and sinks on one destination',
    connect: (store) => {
      const connect = brokenSink({});
      return connect({
        ...store,
        positions: (context) => store.positions({ ...context, pipeline: 'all' }),
        claim: (context, claim) => store.claim({ ...context, pipeline: 'all' }, claim),
        commit: (context, commit, batches) => store.commit({ ...context, pipeline: 'all' }, commit, batches),
      });
    },
  },
  {
    name: 'joins the names of pipeline and sink so that they run into each other',
    caughtBy: 'several pipelines and sinks on one destination',
    connect: (store) => {
      const joined = ({ pipeline, sink }: { pipeline: string; sink: string }) => ({
        pipeline: `${pipeline}.${sink}`,
        sink: 'x',
      });
      return brokenSink({})({
        ...store,
        positions: (context) => store.positions(joined(context)),
        claim: (context, claim) => store.claim(joined(context), claim),
        commit: (context, commit, batches) => store.commit(joined(context), commit, batches),
      });
    },
  },
  {
    name: 'waits until the lease of the last owner has run out',
    caughtBy: 'law 6: no clock decides',
    connect: brokenSink({
      claim: async ({ store, context }, claim) => {
        const found = [...(await store.positions(context)).values()].filter(
          ({ owner }) => owner !== claim.owner,
        );
        const until = Math.max(0, ...found.map(({ owner }) => leases.get(owner) ?? 0));
        if (Date.now() < until)
          throw new EosError('EOS_UNAVAILABLE', 'the lease is held', { retryable: true });
        leases.set(claim.owner, Date.now() + 1_000);
        return await store.claim(context, claim);
      },
    }),
  },
  {
    name: 'lets a claim expire',
    caughtBy: 'law 6: no clock decides',
    connect: brokenSink({
      claim: async ({ store, context }, claim) => {
        leases.set(claim.owner, Date.now() + 1_000);
        return await store.claim(context, claim);
      },
      commit: async ({ store, context }, commit, batches) => {
        for (const [name, { owner }] of commit.from) {
          if (Date.now() > (leases.get(owner) ?? 0)) throw fencedError(name);
        }
        await store.commit(context, commit, batches);
      },
    }),
  },
];

const leases = new Map<bigint, number>();

/** Partitions that are locked, by destination. */
const locks = new WeakMap<BrokenContext['store'], Set<string>>();

function locksOf({ store }: BrokenContext): Set<string> {
  const held = locks.get(store) ?? new Set();
  locks.set(store, held);
  return held;
}

/** Waits for the lock of a partition. Who waits for long waits for somebody who waits for him. */
async function locked(sink: BrokenContext, name: string): Promise<string> {
  const held = locksOf(sink);
  for (let turns = 0; held.has(name); turns++) {
    if (turns === 100) throw new EosError('EOS_UNAVAILABLE', 'deadlock detected', { retryable: true });
    await turn();
  }
  held.add(name);
  await turn();
  return name;
}

/** The records as they are, made where they are missing. */
async function withRecords(sink: BrokenContext, { partitions }: Claim): Promise<Positions> {
  const found = await sink.store.positions(sink.context);
  const missing = partitions.filter((name) => !found.has(name));
  if (missing.length > 0)
    await sink.store.claim(sink.context, { partitions: missing, owner: randomId(), replacing: new Map() });
  return await sink.store.positions(sink.context);
}

function ownedBy({ partitions, owner }: Claim, found: Positions): Positions {
  return new Map(
    [...found]
      .filter(([name]) => partitions.includes(name))
      .map(([name, position]) => [name, { ...position, owner }]),
  );
}

function isSame(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}
