/** The in-memory reference sink with dead letters: they lie in the store as rows of a kind of their own, so that a commit is one step. */
import { defineSink, EosError, type ChangeBatch, type PartitionId, type SinkConnector } from '@eos/core';
import type { FoundLetter } from '../conformance/destination.js';
import type { ConformanceRow } from '../conformance/schema.js';
import { isBadRow } from '../conformance/workload.js';
import type { ConformanceStore } from './memory-destination.js';

const LETTER = 'dead letter ';

/** Only for `append`: a letter has no key. */
export function memoryDeadLetterSink(store: ConformanceStore): SinkConnector<ConformanceRow> {
  return defineSink<ConformanceRow>({
    description: 'memory with dead letters',
    capabilities: {
      changelog: store.changelog,
      atomic: 'transaction',
      staging: true,
      deadLetters: true,
      durable: false,
    },
    connect: async (context) => ({
      positions: async (partitions) => {
        const all = await store.positions(context);
        return new Map([...all].filter(([name]) => partitions?.includes(name) ?? true));
      },
      recover: async (claim) => ({
        positions: await store.claim(context, claim),
        begin: async () => {
          const batches: ChangeBatch<ConformanceRow>[] = [];
          const counts = new Map<PartitionId, number>();
          return {
            write: async (batch) => {
              const { good, letters } = separate(batch);
              batches.push(good, letters);
              const count = counts.get(batch.partition) ?? 0;
              counts.set(batch.partition, count + letters.rows.length);
            },
            prepare: async () => undefined,
            rejected: () => ({ counts, examples: [new EosError('EOS_ROW', 'a bad row')] }),
            commit: (commit) => store.commit(context, commit, batches),
            rollback: async () => undefined,
          };
        },
        close: async () => undefined,
      }),
      close: async () => undefined,
    }),
  });
}

/** The good rows of a batch, and the letters of its bad ones. */
export function separate({ partition, rows, offsets }: ChangeBatch<ConformanceRow>): {
  readonly good: ChangeBatch<ConformanceRow>;
  readonly letters: ChangeBatch<ConformanceRow>;
} {
  const letters = rows.flatMap((row, index) => {
    if (!isBadRow(row)) return [];
    return [{ id: offsets?.[index] ?? 0n, name: LETTER + partition }];
  });
  return {
    good: { partition, rows: rows.filter((row) => !isBadRow(row)) },
    letters: { partition, rows: letters },
  };
}

/** The partition that a letter is of; undefined for a row. */
export function letterOf({ id, name }: ConformanceRow): FoundLetter | undefined {
  if (typeof name !== 'string' || !name.startsWith(LETTER)) return undefined;
  return { partition: name.slice(LETTER.length), offset: BigInt(id) };
}
