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
} from '@eos/core';
import { postgresSink } from '@eos/postgres';
import { stopWhereAsked, withCrashPoints } from '@eos/testkit';
import { leaveParent, obeyParent, readTask, tellParent } from './messages.js';
import { flightSchema, ROUTE_KEY, routeSchema, TABLES, type FlightRow, type Table } from './tables.js';

const { connection, flightsFile, changelogFile, commitRows, stopDuring } = readTask();
obeyParent();
reportProgress();

const flights = pipeline({
  id: 'flights',
  source: jsonArraySource({
    path: flightsFile,
    schema: rowSchema({ delay: t.int32(), distance: t.int32(), time: t.float64() }),
  }),
  transform: ({ rows, offsets }) =>
    rows.map((row, index): FlightRow => ({ source_offset: offsets[index] ?? 0n, ...row })),
  sinks: {
    postgres: stoppable('flights', postgresSink({ connection, table: 'flights', schema: flightSchema })),
  },
  trigger: { rows: commitRows.flights },
});

const routes = pipeline({
  id: 'routes',
  source: ndjsonSource({ path: changelogFile, op: 'op', schema: routeSchema }),
  sinks: {
    postgres: stoppable(
      'routes',
      postgresSink({ connection, table: 'routes', mode: 'upsert', key: [...ROUTE_KEY], schema: routeSchema }),
    ),
  },
  trigger: { rows: commitRows.routes },
});

await flights.run({ signals: [] });
await routes.run({ signals: [] });
leaveParent();

/** Nothing that a program needs: it lets the parent say where this process stands still and is killed. */
function stoppable<Row>(table: Table, sink: SinkConnector<Row>): SinkConnector<Row> {
  return table === stopDuring ? withCrashPoints(sink, stopWhereAsked()) : sink;
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
