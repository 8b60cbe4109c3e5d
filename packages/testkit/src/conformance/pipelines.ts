import { setTimeout as delay } from 'node:timers/promises';
import { pipeline, type RunResult, type SinkConnector, type Source, type SourceBatch } from '@eos/core';
import { withCrashPoints, type OnCrashPoint } from '../crash/crash-points.js';
import type { Change } from '../oracle/expected-rows.js';
import type { Route } from './destination.js';
import type { ConformanceRow } from './schema.js';
import { batchOf, sampleRow } from './workload.js';
import { SOURCE, type World } from './world.js';

export interface PipelineScript {
  /** So many plain rows, or a changelog. The offset of a change is its index. */
  readonly rows?: number;
  readonly changes?: readonly Change<ConformanceRow>[];
  readonly rowsPerCommit: number;
  readonly onPoint?: OnCrashPoint;
  /** Default `faulty`. */
  readonly route?: Route;
  /** How long the source takes for each batch, in milliseconds. Default 0. */
  readonly pauseMs?: number;
  /** How many rows before the stored position the source starts again. Default 0. */
  readonly rereads?: number;
  /** False: the next transaction waits for the last one, whatever the sink declares. */
  readonly staging?: boolean;
}

/** Runs core's runner over a script until its source ends. */
export async function runToEnd(world: World, script: PipelineScript): Promise<RunResult> {
  const { onPoint = () => undefined, route = 'faulty', rowsPerCommit } = script;
  const connector = withCrashPoints(world.destination.connector(route), onPoint);
  const changes =
    script.changes ?? Array.from({ length: script.rows ?? 0 }, (_, id) => ({ row: sampleRow(id) }));
  const { changelog } = connector.capabilities;
  const running = pipeline<ConformanceRow>({
    id: 'pipeline',
    source: scriptedSource(changes, script, script.changes === undefined ? 'append' : changelog),
    sinks: { sink: script.staging === false ? withoutStaging(connector) : connector },
    trigger: { rows: rowsPerCommit, intervalMs: 60_000 },
    retry: { attempts: 30, initialMs: 10, maxMs: 200 },
  });
  return await running.run({ signals: [] });
}

function withoutStaging<Row>(connector: SinkConnector<Row>): SinkConnector<Row> {
  return { ...connector, capabilities: { ...connector.capabilities, staging: false } };
}

function scriptedSource(
  changes: readonly Change<ConformanceRow>[],
  { rowsPerCommit, pauseMs = 0, rereads = 0 }: PipelineScript,
  changelog: Source<ConformanceRow>['changelog'],
): Source<ConformanceRow> {
  const assignment = {
    partitions: ['0'],
    open: async (positions: ReadonlyMap<string, { readonly offset: bigint | null }>) => {
      let next = Math.max(0, Number(positions.get('0')?.offset ?? 0n) - rereads);
      return {
        read: async ({ rows }: { readonly rows: number }) => {
          if (pauseMs > 0) await delay(pauseMs);
          if (next >= changes.length) return undefined;
          const first = next;
          next = Math.min(changes.length, first + Math.min(rows, Math.max(1, rowsPerCommit >> 1)));
          return sourceBatch(changes, first, next);
        },
        close: async () => undefined,
      };
    },
  };
  return {
    description: 'conformance script',
    changelog,
    replayable: true,
    async *assignments() {
      yield assignment;
    },
  };
}

function sourceBatch(
  changes: readonly Change<ConformanceRow>[],
  first: number,
  end: number,
): SourceBatch<ConformanceRow> {
  const batch = batchOf(changes, '0', first, end);
  const offsets = BigInt64Array.from(batch.rows, (_, index) => BigInt(first + index));
  return {
    ...batch,
    offsets,
    next: BigInt(end),
    bytes: batch.rows.length * 100,
    identity: async () => SOURCE,
  };
}
