/**
 * The changelog of the routes: what a database would log if each flight updated the row of its route. It is made once, before any
 * writer starts, and read from a file: an aggregation inside a writer would be state that is lost with it.
 */

/** What the changelog needs of a flight of `flights-20k.json`. */
export interface RouteFlight {
  readonly origin: string;
  readonly destination: string;
  readonly delay: number;
}

export interface RouteChange {
  readonly op: '+I' | '-U' | '+U' | '-D';
  readonly origin: string;
  readonly destination: string;
  /** Flights on this route, as of this change. */
  readonly flights: number;
  /** The sum of their delays. */
  readonly delay_minutes: number;
}

/** Every so many flights, one will be cancelled … */
export const CANCELLED_EVERY = 50;
/** … so many flights later. One that would be cancelled behind the end of the file takes place. */
export const CANCELLED_AFTER = 500;

interface Total {
  readonly flights: number;
  readonly delay: number;
}

/** `+I` for the first flight of a route, `-U` and `+U` for each later one and for a cancellation, `-D` where none is left. */
export function* routeChanges(flights: readonly RouteFlight[]): Generator<RouteChange> {
  const totals = new Map<string, Total>();
  for (const [index, flight] of flights.entries()) {
    yield* changed(totals, flight, 1);
    const past = index - CANCELLED_AFTER;
    const earlier = flights[past];
    if (earlier !== undefined && (past + 1) % CANCELLED_EVERY === 0) yield* changed(totals, earlier, -1);
  }
}

function* changed(totals: Map<string, Total>, flight: RouteFlight, sign: 1 | -1): Generator<RouteChange> {
  const { origin, destination } = flight;
  const key = `${origin} ${destination}`;
  const change = (op: RouteChange['op'], { flights, delay }: Total): RouteChange => ({
    op,
    origin,
    destination,
    flights,
    delay_minutes: delay,
  });
  const before = totals.get(key) ?? { flights: 0, delay: 0 };
  const after = { flights: before.flights + sign, delay: before.delay + sign * flight.delay };
  if (after.flights === 0) {
    totals.delete(key);
    yield change('-D', before);
    return;
  }
  totals.set(key, after);
  if (before.flights === 0) {
    yield change('+I', after);
    return;
  }
  yield change('-U', before);
  yield change('+U', after);
}

export interface ChangelogText {
  readonly text: string;
  /** The byte at which each change starts. */
  readonly offsets: readonly number[];
}

/** The changelog as newline-delimited JSON. */
export function changelogText(flights: readonly RouteFlight[]): ChangelogText {
  const lines: string[] = [];
  const offsets: number[] = [];
  let offset = 0;
  for (const change of routeChanges(flights)) {
    const line = `${JSON.stringify(change)}\n`;
    lines.push(line);
    offsets.push(offset);
    offset += Buffer.byteLength(line);
  }
  return { text: lines.join(''), offsets };
}
