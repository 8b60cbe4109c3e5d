/**
 * What must be in the tables, worked out from the source files alone. It shares no code with what it judges: its own reading of the
 * files, its own byte offsets, and the routes summed up from the flights instead of from the changelog.
 */

/** The rows of a table: the text of the other columns by the text of the key. */
export type Expected = ReadonlyMap<string, string>;

export interface Flight {
  readonly delay: number;
  readonly distance: number;
  readonly time: number;
}

export function flightText({ delay, distance, time }: Flight): string {
  return `${delay} ${distance} ${time}`;
}

/** The flights by the byte at which each starts in the file, a JSON array of objects. */
export function expectedFlights(file: Buffer): Map<string, string> {
  // A file of this project's own dependencies, at a pinned version: three numbers a row.
  const flights = JSON.parse(file.toString('utf8')) as Flight[];
  const starts = elementStarts(file);
  if (starts.length !== flights.length)
    throw new Error('the oracle counts its rows in two ways, and they differ');
  return new Map(flights.map((flight, index) => [String(starts[index]), flightText(flight)]));
}

const [QUOTE, BACKSLASH, OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = Buffer.from('"\\[]{}');

/** The byte of each element of an array of objects: of every brace that opens at depth 1, outside of a string. */
export function elementStarts(file: Buffer): number[] {
  const starts: number[] = [];
  let depth = 0;
  let isInString = false;
  for (let index = 0; index < file.length; index++) {
    const byte = file[index];
    if (isInString) {
      if (byte === BACKSLASH) index++;
      else if (byte === QUOTE) isInString = false;
    } else if (byte === QUOTE) {
      isInString = true;
    } else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      if (depth === 1) starts.push(index);
      depth++;
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) {
      depth--;
    }
  }
  return starts;
}

export interface Route {
  readonly flights: number;
  readonly delay: number;
}

export function routeText({ flights, delay }: Route): string {
  return `${flights} ${delay}`;
}

/** Flights and minutes of delay of each route: all flights, but every 50th that has 500 or more behind it. */
export function expectedRoutes(file: Buffer): Map<string, string> {
  const flights = JSON.parse(file.toString('utf8')) as {
    origin: string;
    destination: string;
    delay: number;
  }[];
  const tookPlace = flights.filter((_, index) => {
    const number = index + 1;
    return number % 50 !== 0 || number + 500 > flights.length;
  });
  const routes = new Map<string, Route>();
  for (const { origin, destination, delay } of tookPlace) {
    const route = `${origin}-${destination}`;
    const sum = routes.get(route);
    routes.set(route, { flights: (sum?.flights ?? 0) + 1, delay: (sum?.delay ?? 0) + delay });
  }
  return new Map([...routes].map(([route, sum]) => [route, routeText(sum)]));
}
