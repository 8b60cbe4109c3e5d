import { EosError, isEosError, Op, type DriverCommit, type Positions } from '@eos/core';
import { applyRows, brokenSink, type Batch } from './broken-sink.testing.js';
import type { BrokenSink } from './catalogue.testing.js';

const law3 = 'law 3: lost answers';

export const brokenOutcomes: readonly BrokenSink[] = [
  {
    name: 'takes a lost answer for a success',
    caughtBy: law3,
    connect: brokenSink({
      commit: async ({ store, context }, commit, batches) => {
        await store.commit(context, commit, batches).catch((error: unknown) => {
          if (isEosError(error)) throw error;
        });
      },
    }),
  },
  {
    name: 'takes a lost answer for a failure',
    caughtBy: law3,
    connect: brokenSink({
      commit: async ({ store, context }, commit, batches) => {
        await store.commit(context, commit, batches).catch((cause: unknown) => {
          throw isEosError(cause)
            ? cause
            : new EosError('EOS_UNAVAILABLE', 'the commit failed', { retryable: true, cause });
        });
      },
    }),
  },
  {
    name: 'believes that a commit which is not there was aborted',
    caughtBy: law3,
    connect: brokenSink({
      commit: async ({ store, context }, commit, batches) => {
        try {
          await store.commit(context, commit, batches);
        } catch (cause) {
          if (isEosError(cause)) throw cause;
          const found = await store.positions(context);
          if ([...commit.next].every(([name, { txId }]) => found.get(name)?.txId === txId)) return;
          throw new EosError('EOS_UNAVAILABLE', 'the commit did not land', { retryable: true, cause });
        }
      },
    }),
  },
  {
    name: 'sends a commit again when its answer is lost, and applies it twice',
    caughtBy: law3,
    connect: brokenSink({
      commit: async (sink, commit, batches) => {
        const { store, context } = sink;
        await store.commit(context, commit, batches).catch(async (error: unknown) => {
          if (isEosError(error)) throw error;
          await store.commit(context, { ...commit, from: new Map() }, batches);
        });
      },
    }),
  },
  {
    name: 'sends what is left of a commit again, after its first partition, when its answer is lost',
    caughtBy: law3,
    connect: brokenSink({
      commit: async ({ store, context }, commit, batches) => {
        try {
          await store.commit(context, commit, batches);
        } catch (error) {
          const names = [...commit.from.keys()].slice(1);
          const only = (positions: Positions) =>
            new Map([...positions].filter(([name]) => names.includes(name)));
          const left = { from: only(commit.from), next: only(commit.next), hasRows: commit.hasRows };
          const rows = batches.filter(({ partition }) => names.includes(partition));
          await store.commit(context, left, rows).catch(() => undefined);
          throw error;
        }
      },
    }),
  },
  {
    name: 'tidies up what it wrote when a commit was not acknowledged',
    caughtBy: law3,
    mode: 'retract',
    connect: brokenSink({
      commit: async ({ store, context, memory }, commit, batches) => {
        memory.set('unacknowledged', batches);
        await store.commit(context, commit, batches);
        memory.delete('unacknowledged');
      },
      closeSession: async (sink) => {
        const batches = sink.memory.get('unacknowledged');
        // Set by `commit` above, to batches.
        if (Array.isArray(batches))
          await applyRows(sink, (batches as Batch[]).map(undone)).catch(() => undefined);
      },
    }),
  },
  {
    name: 'lets a request through that comes late',
    caughtBy: law3,
    connect: (store) =>
      brokenSink({})({
        ...store,
        // The claim is seen by those who ask, and not by a commit that was under way before.
        commit: async (context, commit, batches) =>
          await store.commit(context, await overtaking(store, context, commit), batches),
      }),
  },
  {
    name: 'gives up for good when the destination is away',
    caughtBy: 'outage',
    connect: (store) =>
      brokenSink({
        claim: async (sink, claim) => {
          try {
            return await sink.store.claim(sink.context, claim);
          } catch (cause) {
            throw isEosError(cause, 'EOS_UNAVAILABLE')
              ? new EosError('EOS_UNAVAILABLE', 'away', { cause })
              : cause;
          }
        },
      })(store),
  },
  {
    name: 'acknowledges while the destination is away',
    caughtBy: 'outage',
    connect: brokenSink({
      commit: async ({ store, context }, commit, batches) => {
        await store.commit(context, commit, batches).catch((error: unknown) => {
          if (!isEosError(error, 'EOS_UNAVAILABLE')) throw error;
        });
      },
    }),
  },
];

function undone({ rows, partition, ops }: Batch): Batch {
  return {
    rows,
    partition,
    ops: Uint8Array.from(rows, (_, index) => (ops?.[index] === Op.delete ? Op.insert : Op.delete)),
  };
}

async function overtaking(
  store: Parameters<BrokenSink['connect']>[0],
  context: Parameters<typeof store.positions>[0],
  commit: DriverCommit,
): Promise<DriverCommit> {
  const found = await store.positions(context);
  const from = [...commit.from].map(([name, position]) => {
    const record = found.get(name);
    return [name, record?.epoch === position.epoch ? record : position] as const;
  });
  return { ...commit, from: new Map(from) };
}
