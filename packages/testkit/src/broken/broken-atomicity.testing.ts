import { applyRows, brokenSink, movePositions, turn } from './broken-sink.testing.js';
import type { BrokenSink } from './catalogue.testing.js';

export const brokenAtomicity: readonly BrokenSink[] = [
  {
    name: 'shows rows as they are written',
    caughtBy: 'atomicity',
    connect: brokenSink({ write: (sink, batch) => applyRows(sink, [batch]) }),
  },
  {
    name: 'shows rows when they are prepared',
    caughtBy: 'atomicity',
    connect: brokenSink({ prepare: (sink, buffer) => applyRows(sink, buffer.splice(0)) }),
  },
  {
    name: 'commits the position, and then the rows',
    caughtBy: 'atomicity',
    connect: brokenSink({
      commit: async (sink, commit, batches) => {
        await sink.store.commit(sink.context, commit, []);
        await turn();
        await applyRows(sink, batches);
      },
    }),
  },
  {
    name: 'commits the rows, and then the position',
    caughtBy: 'atomicity',
    connect: brokenSink({
      commit: async (sink, commit, batches) => {
        await applyRows(sink, batches);
        await turn();
        await sink.store.commit(sink.context, commit, []);
      },
    }),
  },
  {
    name: 'shows a commit batch by batch',
    caughtBy: 'atomicity',
    connect: brokenSink({
      commit: async (sink, commit, batches) => {
        for (const { rows, partition } of batches) {
          const middle = rows.length >> 1;
          await applyRows(sink, [{ rows: rows.slice(0, middle), partition }]);
          await turn();
          await applyRows(sink, [{ rows: rows.slice(middle), partition }]);
        }
        await sink.store.commit(sink.context, commit, []);
      },
    }),
  },
  {
    name: 'forgets the position',
    caughtBy: 'atomicity',
    connect: brokenSink({ commit: (sink, _commit, batches) => applyRows(sink, batches) }),
  },
  {
    name: 'moves the position and forgets the rows',
    caughtBy: 'atomicity',
    connect: brokenSink({ commit: ({ store, context }, commit) => store.commit(context, commit, []) }),
  },
  {
    name: 'acknowledges before it has stored',
    caughtBy: 'crash',
    connect: brokenSink({
      commit: async ({ store, context }, commit, batches) => {
        setTimeout(() => void store.commit(context, commit, batches).catch(() => undefined), 20);
      },
    }),
  },
  {
    name: 'keeps what was written when the process crashes before commit',
    caughtBy: 'crash',
    connect: brokenSink({
      write: async (sink, batch, buffer) => {
        buffer.push(batch);
        // As a log that is flushed in the background, and not tied to any commit.
        setTimeout(() => {
          if (buffer.includes(batch)) void applyRows(sink, [batch]);
        }, 0);
      },
      commit: (sink, commit, buffer) => sink.store.commit(sink.context, commit, emptied(buffer)),
    }),
  },
  {
    name: 'does not commit what has no rows',
    caughtBy: 'empty commits',
    connect: brokenSink({
      commit: async ({ store, context }, commit, batches) => {
        if (commit.hasRows) await store.commit(context, commit, batches);
      },
    }),
  },
  {
    name: 'moves all partitions of the session by the last one',
    caughtBy: 'atomicity',
    connect: brokenSink({
      commit: async (sink, commit, batches) => {
        await sink.store.commit(sink.context, commit, batches);
        const found = await sink.store.positions(sink.context);
        const [last] = [...commit.next.values()].slice(-1);
        if (last === undefined) return;
        await movePositions(
          sink,
          new Map([...found].map(([name, position]) => [name, { ...position, offset: last.offset }])),
        );
      },
    }),
  },
];

/** Takes the batches out, so that nobody else writes them. */
function emptied<T>(buffer: readonly T[]): T[] {
  const all = [...buffer];
  // The buffer is the breakage's own array, handed out as read-only.
  (buffer as T[]).length = 0;
  return all;
}
