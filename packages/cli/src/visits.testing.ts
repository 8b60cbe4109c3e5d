/** Pipelines of visits, into a table of one test's own. */
import type { PostgresService, TestDatabase } from '@eos/services';
import { Client } from 'pg';
import { Child, withFolder, type Line } from './eos.testing.js';

export const ROWS = 20_000;

/** What every run reads, and what the table must hold in the end. */
export const visits = Array.from({ length: ROWS }, (_, id) => ({
  id,
  city: `city ${id % 97}`,
  note: id % 3 === 0 ? null : 'x',
}));

export const PIPELINE = `id: visits
columns:
  id: int64
  city: string
  note: string?
source:
  use: ndjson
  path: visits.ndjson
sinks:
  warehouse:
    use: '@eos/postgres'
    connection: \${DATABASE_URL}
    table: \${TABLE:-visits}
trigger:
  rows: 500
  intervalMs: 600000 # on a slow machine too, commits are told apart by their rows
`;

/** Lets rows below 2,000 pass, and then waits until there is a file `gate`. */
const GATE = `import { existsSync } from 'node:fs';
export default async (batch) => {
  while (batch.rows.some(({ id }) => id >= 2000n) && !existsSync(new URL('gate', import.meta.url))) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return batch.rows;
};
`;
const GATED = PIPELINE.replace('columns:', 'transform: ./gate.mjs\ncolumns:').replace(
  '    table: ${TABLE:-visits}\n',
  '    table: visits\n    schema: { id: int64, city: string, note: string? }\n',
);

export class World {
  constructor(
    readonly folder: string,
    readonly database: TestDatabase,
    readonly client: Client,
  ) {}

  get env() {
    return { DATABASE_URL: this.database.url };
  }

  start(...words: string[]): Child {
    return new Child(this.folder, words, this.env);
  }

  async rows(): Promise<unknown> {
    const { rows } = await this.client.query('SELECT id::int, city, note FROM visits ORDER BY id');
    return rows;
  }
}

export async function withWorld(
  service: PostgresService,
  work: (world: World) => Promise<void>,
): Promise<void> {
  const files = {
    'visits.ndjson': visits.map((visit) => `${JSON.stringify(visit)}\n`).join(''),
    'pipeline.yaml': PIPELINE,
    'gated.yaml': GATED,
    'gate.mjs': GATE,
  };
  await withFolder(files, async (folder) => {
    const database = await service.createDatabase();
    const client = new Client({ connectionString: database.url });
    await client.connect();
    try {
      await work(new World(folder, database, client));
    } finally {
      await client.end();
      await database.drop();
    }
  });
}

export function sumOf(lines: readonly Line[], event: string, field: string): number {
  return lines.filter((line) => line.event === event).reduce((sum, line) => sum + Number(line[field]), 0);
}
