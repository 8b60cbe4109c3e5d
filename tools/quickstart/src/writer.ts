/**
 * The program that is killed: what a user of Eos writes. It knows nothing of earlier lives, and reads on where each table says that
 * it stands.
 */
import { subscribe } from 'node:diagnostics_channel';
import {
  jsonArraySource,
  ndjsonSource,
  pipeline,
  t,
  rowSchema,
  type PipelineEvents,
  type SinkConnector,
  type SourceBatch,
} from '@eos/core';
import { deltaSink } from '@eos/delta';
import { postgresSink } from '@eos/postgres';
import { s3Sink } from '@eos/s3';
import { stopWhereAsked, withCrashPoints, type OnCrashPoint } from '@eos/testkit';
import { leaveParent, obeyParent, readTask, tellParent } from './messages.js';
import {
  DELTA_PATHS,
  flightSchema,
  PARQUET_PREFIX,
  ROUTE_KEY,
  routeSchema,
  TABLES,
  type FlightRow,
  type Table,
} from './tables.js';

const { connection, folder, flightsFile, changelogFile, commitRows, stopDuring } = readTask();

/** Small, so that a transaction takes many writes. Only the kill that is to strike one of them needs it. */
const CHUNK_BYTES = 32_768;

/** The write of a transaction before which the sink has filled blocks or files; of an updated route it sends one short line for two changes. */
const STRUCK_WRITE: Readonly<Partial<Record<Table, number>>> = { flights: 12, routes: 26, parquet: 6 };

/** Several files a transaction, so that some are there when it is struck. */
const FILE_ROWS = 2_000;

obeyParent();
reportProgress();

const flights = pipeline({
  id: 'flights',
  source: flightsSource(),
  transform: withOffsets,
  sinks: {
    postgres: stoppable('flights', postgresSink({ connection, table: 'flights', schema: flightSchema })),
  },
  trigger: { rows: commitRows.flights, intervalMs: 60_000 },
});

const routes = pipeline({
  id: 'routes',
  source: routesSource(),
  sinks: {
    postgres: stoppable(
      'routes',
      postgresSink({ connection, table: 'routes', mode: 'upsert', key: [...ROUTE_KEY], schema: routeSchema }),
    ),
  },
  trigger: { rows: commitRows.routes, intervalMs: 60_000 },
});

const parquet = pipeline({
  id: 'parquet',
  source: flightsSource(),
  transform: withOffsets,
  sinks: {
    folder: stoppable(
      'parquet',
      s3Sink({
        folder,
        prefix: PARQUET_PREFIX,
        format: 'parquet',
        roll: { rows: FILE_ROWS },
        schema: flightSchema,
      }),
    ),
  },
  trigger: { rows: commitRows.parquet, intervalMs: 60_000 },
});

const deltaFlights = pipeline({
  id: 'delta-flights',
  source: flightsSource(),
  transform: withOffsets,
  sinks: {
    delta: stoppable(
      'delta-flights',
      deltaSink({ folder, path: DELTA_PATHS['delta-flights'], schema: flightSchema }),
    ),
  },
  trigger: { rows: commitRows['delta-flights'], intervalMs: 60_000 },
});

const deltaRoutes = pipeline({
  id: 'delta-routes',
  source: routesSource(),
  sinks: {
    delta: stoppable(
      'delta-routes',
      deltaSink({
        folder,
        path: DELTA_PATHS['delta-routes'],
        mode: 'upsert',
        key: [...ROUTE_KEY],
        schema: routeSchema,
      }),
    ),
  },
  trigger: { rows: commitRows['delta-routes'], intervalMs: 60_000 },
});

for (const work of [flights, routes, parquet, deltaFlights, deltaRoutes]) await work.run({ signals: [] });
leaveParent();

function flightsSource() {
  return jsonArraySource({
    path: flightsFile,
    schema: rowSchema({ delay: t.int32(), distance: t.int32(), time: t.float64() }),
    chunkBytes: CHUNK_BYTES,
  });
}

function routesSource() {
  return ndjsonSource({ path: changelogFile, op: 'op', schema: routeSchema, chunkBytes: CHUNK_BYTES });
}

function withOffsets({ rows, offsets }: SourceBatch<Omit<FlightRow, 'source_offset'>>): FlightRow[] {
  return rows.map((row, index) => ({ source_offset: offsets[index] ?? 0n, ...row }));
}

/** Nothing that a program needs: it lets the parent say where this process stands still and is killed. */
function stoppable<Row>(table: Table, sink: SinkConnector<Row>): SinkConnector<Row> {
  return table === stopDuring ? withCrashPoints(sink, deepInside(table, stopWhereAsked())) : sink;
}

/** Of the writes of a transaction, counts only the one before which rows have gone to the server. */
function deepInside(table: Table, onPoint: OnCrashPoint): OnCrashPoint {
  let writes = 0;
  let deep = 0;
  return (point, count) => {
    if (point === 'begin:after') writes = 0;
    if (point !== 'write:between') return onPoint(point, count);
    writes++;
    return writes === STRUCK_WRITE[table] ? onPoint(point, ++deep) : undefined;
  };
}

/** What a program may do to watch its pipelines. */
function reportProgress(): void {
  for (const news of ['claim', 'commit'] as const) {
    subscribe(`eos:${news}`, (message) => {
      // The channel's own type: node:diagnostics_channel carries anything.
      const { pipeline: id, positions } = message as PipelineEvents['eos:claim' | 'eos:commit'];
      const table = TABLES.find((name) => name === id);
      const [position] = positions.values();
      if (table === undefined || position === undefined) return;
      const offset = position.offset === null ? null : position.offset.toString();
      tellParent({ news, table, offset, epoch: position.epoch.toString() });
    });
  }
}
