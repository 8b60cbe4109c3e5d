/** Appends of other shapes than the usual row: many tables, many columns, large values. */
import {
  iterableSource,
  pipeline,
  rowSchema,
  t,
  type Column,
  type RowSchema,
  type SinkConnector,
} from '@eos/core';
import { copyTextEncoder, postgresSink } from '@eos/postgres';
import { copyRowsInTurn } from '../baselines/copy.js';
import { copyTablesInTurn } from '../baselines/copy-tables.js';
import { interleave } from '../interleave.js';
import type { Laboratory, Timing } from '../laboratory.js';
import { measurement, type Measurement } from '../measurement.js';
import { randomNumbers } from '../rows.js';
import { extent, median } from '../statistics.js';
import type { BenchCase } from './case.js';

type Row = Record<string, unknown>;

interface Shape {
  readonly name: string;
  readonly tables: number;
  readonly schema: RowSchema;
  readonly rowsPerCommit: number;
  /** The same rows for every run. */
  readonly rows: (laboratory: Laboratory) => readonly Row[];
}

/** Five thousand rows a transaction over a hundred tables. */
export function routingCase(): BenchCase {
  const schema = rowSchema({
    id: t.int64(),
    place: t.int32(),
    name: t.string(),
    amount: t.float64(),
    note: t.string(),
  });
  const random = randomNumbers(2);
  const rows = ({ options }: Laboratory) =>
    Array.from({ length: options.rows }, (_, id) => ({
      id,
      place: Math.floor(random() * 100),
      name: `name of ${id}`,
      amount: id / 7,
      note: 'a note that is neither short nor long',
    }));
  return shapeCase({
    name: 'postgres/routing/tables=100/vs-copy-each',
    tables: 100,
    schema,
    rowsPerCommit: 5_000,
    rows,
  });
}

/** A hundred columns. */
export function wideCase(): BenchCase {
  const columns: Record<string, Column> = { id: t.int64() };
  for (let index = 1; index < 100; index++) columns[`c${index}`] = index % 2 === 0 ? t.int32() : t.string();
  const rows = ({ options }: Laboratory) =>
    Array.from({ length: Math.ceil(options.rows / 10) }, (_, id) => {
      const row: Row = { id };
      for (let index = 1; index < 100; index++)
        row[`c${index}`] = index % 2 === 0 ? id + index : `v${id}.${index}`;
      return row;
    });
  return shapeCase({
    name: 'postgres/wide/columns=100/vs-copy',
    tables: 1,
    schema: rowSchema(columns),
    rowsPerCommit: 1_000,
    rows,
  });
}

/** A text of one megabyte in each row. */
export function largeCase(): BenchCase {
  const schema = rowSchema({ id: t.int64(), body: t.string() });
  const random = randomNumbers(3);
  const rows = ({ options }: Laboratory) => {
    const bodies = Array.from({ length: 8 }, () => {
      const bytes = Buffer.alloc(786_432);
      for (let index = 0; index < bytes.length; index += 4)
        bytes.writeUInt32LE(Math.floor(random() * 2 ** 32), index);
      return bytes.toString('base64');
    });
    return Array.from({ length: options.quick ? 20 : 100 }, (_, id) => ({ id, body: bodies[id % 8] }));
  };
  return shapeCase({ name: 'postgres/large/row=1MB/vs-copy', tables: 1, schema, rowsPerCommit: 10, rows });
}

function shapeCase(shape: Shape): BenchCase {
  return {
    names: [shape.name],
    measure: async (laboratory) => [await measureShape(laboratory, shape)],
  };
}

async function measureShape(laboratory: Laboratory, shape: Shape): Promise<Measurement> {
  const rows = shape.rows(laboratory);
  const side = (name: string, write: (url: string) => Promise<void>) => ({
    name,
    run: () =>
      laboratory.withDatabase(async (url) => {
        // Opening makes the tables, before the clock starts; both sides write to the same ones.
        await makeTables(url, shape);
        return await laboratory.timed(() => write(url));
      }),
  });
  const results = await interleave(
    [side('ours', (url) => runOurs(url, shape, rows)), side('copy', (url) => runCopy(url, shape, rows))],
    {
      runs: laboratory.options.runs,
      warmUp: !laboratory.options.quick,
      onRun: (name, run, { seconds }) => {
        laboratory.progress(`${shape.name} run ${run}: ${name} ${Math.round(rows.length / seconds)} rows/s`);
      },
    },
  );
  return compared(shape, rows.length, results.get('ours') ?? [], results.get('copy') ?? []);
}

function compared(
  { name }: Shape,
  count: number,
  ours: readonly Timing[],
  copy: readonly Timing[],
): Measurement {
  const rate = ({ seconds }: Timing) => count / seconds;
  return measurement({
    name,
    ours: median(ours.map(rate)),
    baseline: median(copy.map(rate)),
    unit: 'rows/s',
    runs: ours.length,
    details: {
      'ours, least and most': extent(ours.map(rate)),
      'baseline, least and most': extent(copy.map(rate)),
      'ours, client CPU s': median(ours.map(({ processor }) => processor.client)),
      'baseline, client CPU s': median(copy.map(({ processor }) => processor.client)),
    },
  });
}

function sinkOf(url: string, { tables, schema }: Shape): SinkConnector<Row> {
  if (tables === 1) return postgresSink<Row>({ connection: url, table: 't0', schema });
  const routes = Array.from({ length: tables }, (_, place) => [`t${place}`, { schema }] as const);
  return postgresSink<Row>({ connection: url, route: { by: tableOf, tables: Object.fromEntries(routes) } });
}

function tableOf({ place = 0 }: Row): string {
  return `t${Number(place)}`;
}

async function makeTables(url: string, shape: Shape): Promise<void> {
  const sink = await sinkOf(url, shape).open({ pipeline: 'tables', sink: 'bench' });
  await sink.recover(['0']);
  await sink.close();
}

async function runOurs(url: string, shape: Shape, rows: readonly Row[]): Promise<void> {
  const result = await pipeline({
    id: 'bench',
    source: iterableSource({ items: rows }),
    sinks: { bench: sinkOf(url, shape) },
    trigger: { rows: shape.rowsPerCommit, bytes: Number.MAX_SAFE_INTEGER, intervalMs: 3_600_000 },
  }).run({ signals: [] });
  if (result.rows !== rows.length) throw new Error(`the run wrote ${result.rows} of ${rows.length} rows`);
}

async function runCopy(
  url: string,
  { schema, tables, rowsPerCommit }: Shape,
  rows: readonly Row[],
): Promise<void> {
  const { columns, line, block } = copyTextEncoder(schema);
  // The encoder's own checks tell a row that does not fit.
  const encoder = { columns, line: line as (row: Row) => string, block: block as BlockOf<Row> };
  if (tables === 1) await copyRowsInTurn({ url, table: 't0', rows, rowsPerCommit, encoder });
  else await copyTablesInTurn({ url, rows, rowsPerCommit, tableOf, encoder });
}

type BlockOf<R> = (rows: readonly R[], start: number, end?: number) => { bytes: Buffer; next: number };
