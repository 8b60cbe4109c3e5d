/** The files that are read: the flights as they come from npm, and the changelog made of them. */
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { changelogText, type RouteFlight } from './changelog.js';
import { elementStarts } from './oracle.js';
import type { Table } from './tables.js';

/** The first so many of each file; absent: all. For tests that must be quick. */
export interface Slice {
  readonly flights: number;
  readonly routeFlights: number;
}

export interface DataSet {
  /** A JSON array: what becomes the table `flights`, the Parquet files, and a Delta table. */
  readonly flightsFile: string;
  /** A JSON array of flights with their routes: what the changelog is made of. */
  readonly routeFlightsFile: string;
  /** The changelog, as newline-delimited JSON: what becomes the tables of routes. */
  readonly changelogFile: string;
  /** The byte at which each source row starts, ascending. */
  readonly offsets: Readonly<Record<Table, readonly number[]>>;
}

/** Makes the changelog, and slices where asked for, in `folder`. */
export async function prepareData(folder: string, slice?: Slice): Promise<DataSet> {
  const flightsFile = await sliced(shippedFile('flights-200k.json'), folder, slice?.flights);
  const routeFlightsFile = await sliced(shippedFile('flights-20k.json'), folder, slice?.routeFlights);
  const changelog = changelogText(await readFlights(routeFlightsFile));
  const changelogFile = join(folder, 'routes-changelog.ndjson');
  await writeFile(changelogFile, changelog.text);
  const flights = elementStarts(await readFile(flightsFile));
  return {
    flightsFile,
    routeFlightsFile,
    changelogFile,
    offsets: {
      flights,
      routes: changelog.offsets,
      parquet: flights,
      'delta-flights': flights,
      'delta-routes': changelog.offsets,
    },
  };
}

/** A file of `vega-datasets`, which names only its program to importers. */
function shippedFile(name: string): string {
  const program = createRequire(import.meta.url).resolve('vega-datasets');
  return join(dirname(program), '..', 'data', name);
}

async function sliced(file: string, folder: string, rows: number | undefined): Promise<string> {
  if (rows === undefined) return file;
  const all: unknown = JSON.parse(await readFile(file, 'utf8'));
  const some = Array.isArray(all) ? all.slice(0, rows) : all;
  const target = join(
    folder,
    `first-${rows}-${file.endsWith('200k.json') ? 'flights' : 'route-flights'}.json`,
  );
  await writeFile(target, JSON.stringify(some));
  return target;
}

async function readFlights(file: string): Promise<RouteFlight[]> {
  // A file of this project's own dependencies, at a pinned version.
  return JSON.parse(await readFile(file, 'utf8')) as RouteFlight[];
}
