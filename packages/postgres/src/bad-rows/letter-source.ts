/** Dead letters that are to be replayed, as a source: its offsets are the numbers that they were given. */
import {
  EosError,
  parseOp,
  type ChangelogMode,
  type Positions,
  type Source,
  type SourceBatch,
  type SourceReader,
} from '@eos/core';
import type { SinkContext } from '@eos/core';
import type { Link, TextRow } from '../connection/connection.js';
import { mapError } from '../connection/error-map.js';
import { literal } from '../connection/identifiers.js';
import { REPLAY_PARTITION } from './replay-record.js';
import { parseRowJson } from './row-json.js';

/** Letters that are read at a time: bounds memory with the size of a row. */
const MOST_ROWS = 100;

export function letterSource(
  open: () => Promise<Link>,
  sql: string,
  context: SinkContext,
  changelog: ChangelogMode,
): Source<unknown> {
  return {
    description: `dead letters of ${context.pipeline}/${context.sink}`,
    changelog,
    replayable: true,
    async *assignments() {
      await Promise.resolve();
      yield {
        partitions: [REPLAY_PARTITION],
        open: async (positions: Positions) =>
          letterReader(await open(), sql, context, positions.get(REPLAY_PARTITION)?.offset ?? 0n),
      };
    },
  };
}

function letterReader(link: Link, sql: string, context: SinkContext, from: bigint): SourceReader<unknown> {
  const { pipeline, sink } = context;
  let next = from;
  let isClosed = false;
  return {
    async read({ rows }) {
      if (isClosed) throw new EosError('EOS_CLOSED', 'the reader was closed');
      const answers = await link
        .run(
          `SELECT l.replay_offset, l.op, l.row, l.types FROM ${sql} l WHERE l.pipeline = ${literal(pipeline)}
            AND l.sink = ${literal(sink)} AND l.replay_offset >= ${next} ORDER BY l.replay_offset
            LIMIT ${Math.min(MOST_ROWS, rows)}`,
        )
        .catch((error: unknown) => {
          throw mapError(error);
        });
      const found = answers[0]?.rows ?? [];
      if (found.length === 0) return undefined;
      const batch = batchOf(found, sql);
      next = batch.next;
      return batch;
    },
    async close() {
      isClosed = true;
      await link.close();
    },
  };
}

function batchOf(found: readonly TextRow[], sql: string): SourceBatch<unknown> {
  const offsets = BigInt64Array.from(found, ([offset]) => BigInt(offset ?? 0));
  return {
    partition: REPLAY_PARTITION,
    rows: found.map(([, , row, types]) => parseRowJson({ row: row ?? 'null', types: types ?? undefined })),
    ops: Uint8Array.from(found, ([, op]) => parseOp(op) ?? 0),
    offsets,
    next: (offsets.at(-1) ?? 0n) + 1n,
    bytes: found.reduce((sum, [, , row]) => sum + (row?.length ?? 0), 0),
    identity: () => Promise.resolve({ kind: 'postgres dead letters', table: sql }),
  };
}
