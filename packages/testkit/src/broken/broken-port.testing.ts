import { EosError, memorySink, type SinkConnector, type SinkSession, type SinkTransaction } from '@eos/core';
import type { ConformanceRow } from '../conformance/schema.js';
import { brokenSink, turn } from './broken-sink.testing.js';
import type { BrokenSink } from './catalogue.testing.js';

type Session = SinkSession<ConformanceRow>;
type Transaction = SinkTransaction<ConformanceRow>;

/** Sinks that do without the state machine of defineSink, or get around it. */
export const brokenPort: readonly BrokenSink[] = [
  {
    name: 'lets a transaction be committed twice',
    caughtBy: 'misuse',
    connect: (store) =>
      withTransactions(memorySink(store), (transaction) => {
        let committed: Promise<void> | undefined;
        return { ...callsOf(transaction), commit: (range) => (committed ??= transaction.commit(range)) };
      }),
  },
  {
    name: 'prepares by itself what was not prepared',
    caughtBy: 'misuse',
    connect: (store) =>
      withTransactions(memorySink(store), (transaction) => ({
        ...callsOf(transaction),
        commit: async (range) => {
          await transaction.prepare().catch(() => undefined);
          await transaction.commit(range);
        },
      })),
  },
  {
    name: 'makes a name fit that does not',
    caughtBy: 'misuse',
    connect: (store) => ({
      ...memorySink(store),
      open: ({ pipeline, sink }) =>
        memorySink(store).open({ pipeline: fitting(pipeline), sink: fitting(sink) }),
    }),
  },
  {
    name: 'claims something when asked for nothing',
    caughtBy: 'misuse',
    connect: (store) =>
      withClaims(memorySink(store), (partitions) => (partitions.length === 0 ? ['0'] : partitions)),
  },
  {
    name: 'does not claim a partition that is named twice',
    caughtBy: 'law 1: claim and barrier',
    connect: (store) =>
      withClaims(memorySink(store), (partitions) =>
        partitions.filter((name) => partitions.indexOf(name) === partitions.lastIndexOf(name)),
      ),
  },
  {
    name: 'starts at offset 0 where nothing was committed yet',
    caughtBy: 'life cycle',
    connect: brokenSink({
      claim: async ({ store, context }, claim) => {
        const claimed = await store.claim(context, claim);
        return new Map(
          [...claimed].map(([name, position]) => [name, { ...position, offset: position.offset ?? 0n }]),
        );
      },
    }),
  },
  {
    name: 'ignores what is written after prepare',
    caughtBy: 'misuse',
    connect: (store) =>
      withTransactions(memorySink(store), (transaction) => {
        let isPrepared = false;
        return {
          ...callsOf(transaction),
          write: async (batch) => {
            if (!isPrepared) await transaction.write(batch);
          },
          prepare: async () => {
            isPrepared = true;
            await transaction.prepare();
          },
        };
      }),
  },
  {
    name: 'commits from where it is, whatever the range says',
    caughtBy: 'replay',
    connect: (store) =>
      withTransactions(memorySink(store), (transaction, session) => ({
        ...callsOf(transaction),
        commit: ({ to }) => {
          const from = [...session.positions].filter(([name]) => to.has(name));
          return transaction.commit({ from: new Map(from), to });
        },
      })),
  },
  {
    name: 'leaves the positions of its session as recover found them',
    caughtBy: 'life cycle',
    connect: (store) =>
      withSessions(memorySink(store), (session) => {
        const positions = new Map(session.positions);
        return {
          owner: session.owner,
          positions,
          begin: () => session.begin(),
          close: () => session.close(),
        };
      }),
  },
  {
    name: 'shows all positions when asked for some',
    caughtBy: 'life cycle',
    connect: brokenSink({ positions: ({ store, context }) => store.positions(context) }),
  },
  {
    name: 'claims by looking at positions',
    caughtBy: 'life cycle',
    connect: brokenSink({
      positions: async ({ store, context }) => {
        const found = await store.positions(context);
        const claim = { partitions: [...found.keys()], owner: 1n, replacing: new Map<string, never>() };
        return await store.claim(context, claim);
      },
    }),
  },
  {
    name: 'mixes what is staged into the commit before it',
    caughtBy: 'life cycle',
    connect: brokenSink({ sharesBuffer: true }),
  },
  {
    name: 'takes the rollback of what is staged for one of the commit under way',
    caughtBy: 'life cycle',
    connect: (store) => {
      const rolledBack = new WeakSet<Session>();
      return withTransactions(memorySink(store), (transaction, session) => ({
        ...callsOf(transaction),
        commit: async (range) => {
          rolledBack.delete(session);
          await transaction.commit(range);
          await turn();
          if (rolledBack.has(session)) throw new EosError('EOS_UNAVAILABLE', 'rolled back');
        },
        rollback: async () => {
          rolledBack.add(session);
          await transaction.rollback();
        },
      }));
    },
  },
  {
    name: 'declares staging and cannot stage',
    caughtBy: 'life cycle',
    connect: (store) => {
      const connector = memorySink(store);
      const { capabilities } = connector;
      return {
        description: connector.description,
        capabilities,
        open: async (context) => {
          const cannot = { ...capabilities, staging: false };
          return await brokenSink({ capabilities: cannot })(store).open(context);
        },
      };
    },
  },
  {
    name: 'forgets the watermark',
    caughtBy: 'life cycle',
    connect: brokenSink({
      commit: ({ store, context }, { from, next, hasRows }, batches) => {
        const kept = [...next].map(([name, position]) => {
          const { epoch, offset, txId, owner, source, target } = position;
          return [name, { epoch, offset, txId, owner, source, target }] as const;
        });
        return store.commit(context, { from, next: new Map(kept), hasRows }, batches);
      },
    }),
  },
];

function withClaims(
  connector: SinkConnector<ConformanceRow>,
  choose: (partitions: readonly string[]) => readonly string[],
): SinkConnector<ConformanceRow> {
  return withSessions(connector, (session) => session, choose);
}

function withSessions(
  connector: SinkConnector<ConformanceRow>,
  wrap: (session: Session) => Session,
  choose = (partitions: readonly string[]) => partitions,
): SinkConnector<ConformanceRow> {
  return {
    description: connector.description,
    capabilities: connector.capabilities,
    open: async (context) => {
      const sink = await connector.open(context);
      return {
        capabilities: sink.capabilities,
        positions: (partitions) => sink.positions(partitions),
        recover: async (partitions, options) => wrap(await sink.recover(choose(partitions), options)),
        close: () => sink.close(),
      };
    },
  };
}

function fitting(name: string): string {
  return name.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 128) || '_';
}

function withTransactions(
  connector: SinkConnector<ConformanceRow>,
  wrap: (transaction: Transaction, session: Session) => Transaction,
): SinkConnector<ConformanceRow> {
  return withSessions(connector, (session) => ({
    owner: session.owner,
    get positions() {
      return session.positions;
    },
    begin: async () => wrap(await session.begin(), session),
    close: () => session.close(),
  }));
}

function callsOf(transaction: Transaction): Transaction {
  return {
    id: transaction.id,
    write: (batch) => transaction.write(batch),
    prepare: () => transaction.prepare(),
    commit: (range) => transaction.commit(range),
    rollback: () => transaction.rollback(),
  };
}
