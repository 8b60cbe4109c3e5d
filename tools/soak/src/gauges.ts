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
/** What a heap and a free-space map may breathe. */
/** Before, heap and caches are still finding their size. */
const LEAST_SAMPLES = 100;
const SLACK = { share: 0.25, megabytes: 16 };

/** Collects samples of something measured in bytes. */
export class Samples {
  readonly #values: number[] = [];

  constructor(private readonly name: string) {}

  add(bytes: number): void {
    this.#values.push(bytes / MEGABYTE);
  }

  /** Medians: one sample within a garbage collection says nothing. */
  gauge(): Gauge {
    const values = this.#values;
    const quarter = Math.floor(values.length / 4);
    const early = median(values.slice(quarter, 2 * quarter));
    const late = median(values.slice(3 * quarter));
    const isBounded = late <= early * (1 + SLACK.share) + SLACK.megabytes;
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
