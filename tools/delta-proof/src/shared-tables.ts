/** Tables that several kinds of writers write to in turn. */
import { join } from 'node:path';
import { Op, rowSchema, t, type SinkConnector } from '@eos/core';
import { deltaSink } from '@eos/delta';
import type { Python } from '@eos/services';
import {
  APPEND_WITH_DELTA_RS,
  MAKE_NESTED_WITH_DELTA_RS,
  READ_WITH_SPARK,
  RUN_ON_SPARK,
} from './python-scripts.js';
import { asText, inOrder, shownRows, type ShownRow } from './shown-rows.js';
import { commitRows, inSession, type ExpectedTable } from './tables.js';

const schema = rowSchema({ id: t.int64(), name: t.string().nullable() });
type NamedRow = { readonly id: bigint; readonly name: string };
const SHOW = { id: asText, name: asText };

/** delta-rs makes the table, and appends in the middle of each of our commits; both write checkpoints. */
export async function sharedWithDeltaRs(root: string, python: Python): Promise<readonly ExpectedTable[]> {
  const path = join(root, 'shared-with-delta-rs');
  const rows: NamedRow[] = [];
  const theirs = async (ids: number[], checkpoint = false) => {
    await python.run(APPEND_WITH_DELTA_RS, { input: { path, ids, checkpoint } });
    rows.push(...ids.map((id) => ({ id: BigInt(id), name: 'theirs' })));
  };
  await theirs([1_000, 1_001]);
  await inSession(deltaSink({ folder: path, schema }), async (session) => {
    for (let turn = 0; turn < 6; turn++) {
      const transaction = await session.begin();
      const row = { id: BigInt(turn), name: 'ours' };
      await transaction.write({ partition: '0', rows: [row] });
      await transaction.prepare();
      await theirs([2_000 + turn], turn === 2);
      const to = new Map([['0', { offset: BigInt(turn + 1), source: { kind: 'proof' } }]]);
      await transaction.commit({ from: session.positions, to });
      rows.push(row);
    }
  });
  return [{ name: 'shared with delta-rs', path, rows: shownRows(rows, SHOW) }];
}

/** Structs, lists and maps of a table that delta-rs has made, and that we append to as it is. */
export async function nestedTable(root: string, python: Python): Promise<readonly ExpectedTable[]> {
  const path = join(root, 'nested');
  await python.run(MAKE_NESTED_WITH_DELTA_RS, { input: path });
  const ours = [
    {
      id: 2n,
      pair: { x: 2, y: [] },
      tags: [2n, null, 3n],
      pairs: [{ x: 3, y: ['b'] }, null, { x: null, y: null }],
      names: { a: 0.5, b: -0 },
    },
    { id: 3n },
  ];
  await inSession(deltaSink({ folder: path }), async (session) => {
    await commitRows<Record<string, unknown>>(session, ours);
  });
  // An upsert writes the rows of others again, with all that is within them.
  await inSession(deltaSink({ folder: path, mode: 'upsert', key: ['id'] }), async (session) => {
    await commitRows<Record<string, unknown>>(session, [{ id: 3n, tags: [4n] }, { id: 4n }]);
  });
  return [{ name: 'nested types', path, rows: NESTED_ROWS }];
}

/** As the readers show them: what is null is left out of a struct, and is nothing in a list. */
const NESTED_ROWS: readonly ShownRow[] = [
  {
    id: '1',
    names: [['k', '3ff8000000000000']],
    pair: { x: '1', y: ['a', null] },
    pairs: [],
    tags: ['1', null],
  },
  {
    id: '2',
    names: [
      ['a', '3fe0000000000000'],
      ['b', '8000000000000000'],
    ],
    pair: { x: '2', y: [] },
    pairs: [{ x: '3', y: ['b'] }, null, {}],
    tags: ['2', null, '3'],
  },
  { id: '3', tags: ['4'] },
  { id: '4' },
];

/** Spark updates, deletes, optimizes and vacuums between our upserts, on one table, while our session stays open. */
export async function sharedWithSpark(
  root: string,
  python: Python,
  jars: readonly string[],
): Promise<readonly ExpectedTable[]> {
  const path = join(root, 'shared-with-spark');
  const held = new Map<bigint, string>();
  const connector: SinkConnector<NamedRow> = deltaSink({ folder: path, schema, mode: 'upsert', key: ['id'] });
  await inSession(connector, async (session) => {
    const put = async (first: number, count: number, name: string) => {
      const rows = Array.from({ length: count }, (_, index) => ({ id: BigInt(first + index), name }));
      await commitRows(session, rows);
      for (const row of rows) held.set(row.id, name);
    };
    for (let commit = 0; commit < 5; commit++) await put(commit * 10, 10, 'first');
    await python.run(RUN_ON_SPARK, {
      input: {
        ...{ jars, path },
        statements: [
          `UPDATE @table SET name = 'updated' WHERE id % 7 = 0`,
          `DELETE FROM @table WHERE id % 11 = 0`,
          `INSERT INTO @table VALUES (1000, 'inserted')`,
          `OPTIMIZE @table`,
          `VACUUM @table`,
        ],
      },
      timeoutMilliseconds: 600_000,
    });
    for (const id of [...held.keys()]) {
      if (id % 7n === 0n) held.set(id, 'updated');
      if (id % 11n === 0n) held.delete(id);
    }
    held.set(1_000n, 'inserted');
    // Keys of files that Spark has written anew, and one that Spark has inserted.
    await put(0, 25, 'second');
    await commitRows(
      session,
      [
        { id: 1_000n, name: '' },
        { id: 30n, name: '' },
      ],
      Uint8Array.of(Op.delete, Op.delete),
    );
    held.delete(1_000n);
    held.delete(30n);
  });
  const rows = Array.from(held, ([id, name]) => ({ id, name }));
  return [{ name: 'shared with Spark', path, rows: shownRows(rows, SHOW) }];
}

/** A table of Spark's own, with deletion vectors, nested types and a checkpoint; what Spark reads is what it must hold. */
export async function madeBySpark(
  root: string,
  python: Python,
  jars: readonly string[],
): Promise<readonly ExpectedTable[]> {
  const path = join(root, 'made-by-spark');
  const inserts = Array.from(
    { length: 11 },
    (
      _,
      index,
    ) => `INSERT INTO @table SELECT id, date_add(DATE'2024-02-27', CAST(id % 4 AS INT)), CAST(id AS DECIMAL(20, 3)) / 8,
      named_struct('x', CAST(id AS INT), 'list', array(CAST(id AS STRING), NULL)), map('k', CAST(id AS DOUBLE) / 3), timestamp_micros(id * 1000003)
      FROM range(${index * 50}, ${index * 50 + 50})`,
  );
  await python.run(RUN_ON_SPARK, {
    input: {
      ...{ jars, path },
      statements: [
        `CREATE TABLE @table (id BIGINT, day DATE, amount DECIMAL(24, 6), pair STRUCT<x: INT, list: ARRAY<STRING>>, named MAP<STRING, DOUBLE>, moment TIMESTAMP)
          USING delta PARTITIONED BY (day) TBLPROPERTIES ('delta.enableDeletionVectors' = 'true', 'delta.checkpointInterval' = '10')`,
        ...inserts,
        `DELETE FROM @table WHERE id % 10 = 3`,
        `UPDATE @table SET amount = NULL WHERE id % 7 = 0`,
      ],
    },
    timeoutMilliseconds: 600_000,
  });
  const [rows] = (await python.run(READ_WITH_SPARK, {
    input: { jars, tasks: [{ path }] },
    timeoutMilliseconds: 600_000,
  })) as ShownRow[][];
  return [{ name: 'made by Spark', path, rows: inOrder(rows ?? []) }];
}
