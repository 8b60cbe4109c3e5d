/**
 * The tables of the demo, as the writers fill them: two of PostgreSQL, the flights once more as Parquet files in a folder, and both
 * once more as Delta tables there.
 */
import { rowSchema, t, type InferRow } from '@eos/core';

/** In the order in which a writer fills them. */
export const TABLES = ['flights', 'routes', 'parquet', 'delta-flights', 'delta-routes'] as const;

export type Table = (typeof TABLES)[number];

export type DeltaName = 'delta-flights' | 'delta-routes';

/** Whether the table is one of PostgreSQL: a proxy lies between it and its writer. The others lie on a disk. */
export function isInDatabase(table: Table): table is 'flights' | 'routes' {
  return table === 'flights' || table === 'routes';
}

/** Append only: each flight once. Without the byte that it starts at, two equal flights could not be told apart. */
export const flightSchema = rowSchema({
  source_offset: t.int64(),
  delay: t.int32(),
  distance: t.int32(),
  time: t.float64(),
});

export type FlightRow = InferRow<typeof flightSchema>;

/** One row a route: how many flights, and the sum of their delays. */
export const routeSchema = rowSchema({
  origin: t.string(),
  destination: t.string(),
  flights: t.int32(),
  delay_minutes: t.int32(),
});

export type RouteRow = InferRow<typeof routeSchema>;

export const ROUTE_KEY = ['origin', 'destination'] as const;

/** Where in the folder the flights lie. */
export const PARQUET_PREFIX = 'flights';

/** Where in the folder the Delta tables lie. */
export const DELTA_PATHS: Readonly<Record<DeltaName, string>> = {
  'delta-flights': 'delta/flights',
  'delta-routes': 'delta/routes',
};

/**
 * Source rows per transaction where a writer is to be killed inside a write: so many that the sink, which sends blocks of 64 KiB
 * and ends files of 2,000 rows, has sent some of them.
 */
export const LONG_COMMIT_ROWS = 12_000;

/** Source rows per transaction. */
export type CommitRows = Readonly<Record<Table, number>>;
