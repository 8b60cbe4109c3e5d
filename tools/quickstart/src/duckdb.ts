/** Rows of data files, read by DuckDB. That it can read what was written is part of what is shown. */
import { DuckDBInstance, type DuckDBValue } from '@duckdb/node-api';
import type { FoundRow } from './check.js';
import { flightText, routeText } from './oracle.js';

export type FileReader = 'read_json' | 'read_parquet';

export async function flightsIn(
  files: readonly string[],
  reader: FileReader = 'read_parquet',
): Promise<FoundRow[]> {
  const columns = 'source_offset::VARCHAR, delay::INT, distance::INT, time::DOUBLE';
  return (await query(files, reader, columns)).map(([key, delayed, distance, time]): FoundRow => [
    String(key),
    flightText({ delay: Number(delayed), distance: Number(distance), time: Number(time) }),
  ]);
}

export async function routesIn(files: readonly string[]): Promise<FoundRow[]> {
  const columns = 'origin, destination, flights::INT, delay_minutes::INT';
  return (await query(files, 'read_parquet', columns)).map(
    ([origin, destination, flights, delayed]): FoundRow => [
      `${String(origin)}-${String(destination)}`,
      routeText({ flights: Number(flights), delay: Number(delayed) }),
    ],
  );
}

async function query(
  files: readonly string[],
  reader: FileReader,
  columns: string,
): Promise<readonly (readonly DuckDBValue[])[]> {
  if (files.length === 0) return [];
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const list = files.map((file) => `'${file.replaceAll("'", "''")}'`).join(', ');
    return (await connection.runAndReadAll(`SELECT ${columns} FROM ${reader}([${list}])`)).getRows();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
