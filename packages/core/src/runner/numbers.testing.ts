/** A source of numbers, and what tests of the runner share. */
import type { Assignment, MemoryStore, Positions, Source, SourceBatch } from '../index.js';

export interface Row {
  readonly id: number;
}

/** Rows 0 … count-1 at offsets 0 … count-1; resumes exactly. */
export function numbers(
  count: number,
  options: { readonly failAt?: Set<number>; readonly startEarly?: number } = {},
): Source<Row> {
  const assignment: Assignment<Row> = {
    partitions: ['0'],
    open: async (positions: Positions) => {
      let next = Math.max(0, Number(positions.get('0')?.offset ?? 0n) - (options.startEarly ?? 0));
      return {
        read: async ({ rows }) => {
          if (options.failAt?.delete(next)) throw new Error(`no reading at ${next}`);
          if (next >= count) return undefined;
          const from = next;
          next = Math.min(count, from + Math.min(rows, 7));
          return batchOf(from, next);
        },
        close: async () => {},
      };
    },
  };
  return {
    description: 'numbers',
    changelog: 'append',
    replayable: true,
    assignments: async function* () {
      yield assignment;
    },
  };
}

function batchOf(from: number, to: number): SourceBatch<Row> {
  const rows = Array.from({ length: to - from }, (_, index) => ({ id: from + index }));
  return {
    partition: '0',
    rows,
    offsets: BigInt64Array.from(rows, ({ id }) => BigInt(id)),
    next: BigInt(to),
    bytes: rows.length * 10,
    identity: async () => ({ kind: 'numbers' }),
  };
}

export const ids = (store: MemoryStore<Row>) => store.rows().map(({ id }) => id);
export const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);
export const fast = { initialMs: 1, maxMs: 2 };

/** A source of some assignments, whose readers are wrapped. */
export function sourceOf(assignments: readonly Assignment<Row>[]): Source<Row> {
  return {
    ...numbers(0),
    assignments: async function* () {
      yield* assignments;
    },
  };
}

export const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );
