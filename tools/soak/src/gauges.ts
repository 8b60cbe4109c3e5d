/** What must not grow: the memory of a writer that is never killed, and the table of positions. */
import { Client } from 'pg';

export interface Gauge {
  readonly name: string;
  readonly unit: string;
  /** In the second quarter of the run: by then caches and heap have found their size. */
  readonly early: number;
  /** In the last quarter. */
  readonly late: number;
  readonly most: number;
  readonly isBounded: boolean;
  /** Too few samples: it says nothing. */
  readonly isTooShort: boolean;
}

const MEGABYTE = 1_000_000;
/** What it may breathe. */
export interface Slack {
  readonly share: number;
  readonly megabytes: number;
}

/** A heap. */
export const HEAP: Slack = { share: 0.25, megabytes: 16 };
/** A table of a few rows that are replaced all the time: what autovacuum leaves to be reused, and a crash makes it forget. */
export const HOT_TABLE: Slack = { share: 0.5, megabytes: 1.5 };
/** Before, heap and caches are still finding their size. */
const LEAST_SAMPLES = 100;

/** Collects samples of something measured in bytes. */
export class Samples {
  readonly #values: number[] = [];

  constructor(
    private readonly name: string,
    private readonly slack: Slack,
  ) {}

  add(bytes: number): void {
    this.#values.push(bytes / MEGABYTE);
  }

  /** Medians: one sample within a garbage collection says nothing. */
  gauge(): Gauge {
    const values = this.#values;
    const quarter = Math.floor(values.length / 4);
    const early = median(values.slice(quarter, 2 * quarter));
    const late = median(values.slice(3 * quarter));
    const isBounded = late <= early * (1 + this.slack.share) + this.slack.megabytes;
    return {
      name: this.name,
      unit: 'MB',
      early,
      late,
      most: Math.max(0, ...values),
      isBounded,
      isTooShort: values.length < LEAST_SAMPLES,
    };
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? 0;
}

export interface PositionsSize {
  readonly table: number;
  readonly indexes: number;
}

/** Undefined while the server is away. */
export async function positionsSize(url: string): Promise<PositionsSize | undefined> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000, query_timeout: 2_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ table: string; indexes: string }>(
      `SELECT pg_table_size('eos.positions') AS table, pg_indexes_size('eos.positions') AS indexes`,
    );
    const [found] = rows;
    return found === undefined ? undefined : { table: Number(found.table), indexes: Number(found.indexes) };
  } catch {
    return undefined;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Positions that are stored, and the most that may be: of each claim, those that are kept. */
export async function keptPositions(
  client: Client,
): Promise<{ readonly found: number; readonly most: number }> {
  const { rows } = await client.query<{ found: string; claims: string }>(
    'SELECT (SELECT count(*) FROM eos.positions) AS found, (SELECT count(*) FROM eos.claims) AS claims',
  );
  return { found: Number(rows[0]?.found), most: KEPT_EPOCHS * Number(rows[0]?.claims) };
}

/** As the README of the sink says. */
const KEPT_EPOCHS = 8;
