import { applyRows, brokenSink } from './broken-sink.testing.js';
import type { BrokenSink } from './catalogue.testing.js';
import { separate } from '../memory/dead-letters.js';

const caughtBy = 'dead letters';
const capabilities = { deadLetters: true };

export const brokenDeadLetters: readonly BrokenSink[] = [
  {
    name: 'writes dead letters over a connection of their own',
    caughtBy,
    connect: brokenSink({
      capabilities,
      write: async (sink, batch, buffer) => {
        const { good, letters } = separate(batch);
        buffer.push(good);
        await applyRows(sink, [letters]);
      },
    }),
  },
  {
    name: 'writes dead letters once the rows are committed',
    caughtBy,
    connect: brokenSink({
      capabilities,
      commit: async (sink, commit, buffer) => {
        const parts = buffer.map(separate);
        await sink.store.commit(
          sink.context,
          commit,
          parts.map(({ good }) => good),
        );
        await applyRows(
          sink,
          parts.map(({ letters }) => letters),
        );
      },
    }),
  },
  {
    name: 'writes dead letters before it compares',
    caughtBy,
    connect: brokenSink({
      capabilities,
      commit: async (sink, commit, buffer) => {
        const parts = buffer.map(separate);
        await applyRows(
          sink,
          parts.map(({ letters }) => letters),
        );
        await sink.store.commit(
          sink.context,
          commit,
          parts.map(({ good }) => good),
        );
      },
    }),
  },
  {
    name: 'says that it keeps bad rows, and drops them',
    caughtBy,
    connect: brokenSink({
      capabilities,
      write: async (_sink, batch, buffer) => void buffer.push(separate(batch).good),
    }),
  },
];
