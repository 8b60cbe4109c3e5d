/** Tables that our sink writes, with what they must hold at several versions. */
import { join } from 'node:path';
import { Op, type SinkConnector, type SinkSession } from '@eos/core';
import { deltaSink } from '@eos/delta';
import { Random } from '@eos/simulation';
import { allTypes, evolvedTypes, rowMaker, SHOW_ALL_TYPES, type AllTypesRow } from './rows.js';
import { shownRows, type ShownRow } from './shown-rows.js';

/** A table, and its rows at one version; the newest where none is named. */
export interface ExpectedTable {
  readonly name: string;
  readonly path: string;
  readonly version?: number;
  readonly rows: readonly ShownRow[];
}

export const CONTEXT = { pipeline: 'proof', sink: 'delta' };

const COMMITS = 30;
const ROWS_PER_COMMIT = 20;
const PROPERTIES = { 'delta.checkpointInterval': '10' };

/** Thirty commits in partitions with odd names, with three checkpoints; half of them have a column more. */
export async function appendedTable(root: string, seed: number): Promise<readonly ExpectedTable[]> {
  const path = join(root, 'appended');
  const make = rowMaker(new Random(seed));
  const rows: AllTypesRow[] = [];
  const expected: ExpectedTable[] = [];
  for (const isEvolved of [false, true]) {
    const options = { folder: path, partitionBy: ['place', 'day'] };
    const connector: SinkConnector<AllTypesRow> = isEvolved
      ? deltaSink({ ...options, schema: evolvedTypes, evolution: 'add-nullable' })
      : deltaSink({ ...options, schema: allTypes, properties: PROPERTIES });
    await inSession(connector, async (session) => {
      for (let commit = 0; commit < COMMITS / 2; commit++) {
        const added = Array.from({ length: ROWS_PER_COMMIT }, (_, index) =>
          make(BigInt(rows.length + index), isEvolved),
        );
        rows.push(...added);
        await commitRows(session, added);
      }
    });
    // A claim is a version too.
    const version = isEvolved ? COMMITS + 1 : COMMITS / 2;
    expected.push({
      name: `appended, version ${version}`,
      path,
      version,
      rows: shownRows(rows, SHOW_ALL_TYPES),
    });
  }
  return expected;
}

/** Partitions of every type that a table may be parted by, texts apart. */
export async function partitionedTable(root: string, seed: number): Promise<readonly ExpectedTable[]> {
  const path = join(root, 'partitioned');
  const random = new Random(seed);
  const make = rowMaker(random);
  const partitionBy = ['flag', 'small', 'big', 'price', 'moment', 'reference'];
  const connector: SinkConnector<AllTypesRow> = deltaSink({ folder: path, schema: allTypes, partitionBy });
  const rows: AllTypesRow[] = [];
  await inSession(connector, async (session) => {
    for (let commit = 0; commit < 2; commit++) {
      const added = Array.from({ length: ROWS_PER_COMMIT }, (_, index) => make(BigInt(rows.length + index)));
      rows.push(...added);
      await commitRows(session, added);
    }
  });
  return [{ name: 'partitions of many types', path, rows: shownRows(rows, SHOW_ALL_TYPES) }];
}

export interface UpsertOptions {
  readonly name: string;
  readonly properties?: Readonly<Record<string, string>>;
  readonly partitionBy?: readonly string[];
}

/** Thirty commits of a random changelog over few keys: inserts, updates, deletes. */
export async function upsertedTable(
  root: string,
  seed: number,
  { name, properties = {}, partitionBy }: UpsertOptions,
): Promise<readonly ExpectedTable[]> {
  const path = join(root, name.replaceAll(' ', '-'));
  const random = new Random(seed);
  const make = rowMaker(random);
  const held = new Map<bigint, AllTypesRow>();
  const connector: SinkConnector<AllTypesRow> = deltaSink({
    ...{ folder: path, schema: allTypes, mode: 'upsert', key: ['id'] },
    properties: { ...PROPERTIES, ...properties },
    ...(partitionBy === undefined ? {} : { partitionBy }),
  });
  const expected: ExpectedTable[] = [];
  await inSession(connector, async (session) => {
    for (let commit = 1; commit <= COMMITS; commit++) {
      const rows: AllTypesRow[] = [];
      const ops: Op[] = [];
      for (let change = 0; change < ROWS_PER_COMMIT; change++) {
        const id = BigInt(random.integer(0, 99));
        const row = make(id);
        const isDelete = random.chance(0.25);
        rows.push(row);
        ops.push(isDelete ? Op.delete : held.has(id) ? Op.updateAfter : Op.insert);
        if (isDelete) held.delete(id);
        else held.set(id, row);
      }
      await commitRows(session, rows, Uint8Array.from(ops));
      if (commit !== COMMITS / 2 && commit !== COMMITS) continue;
      const shown = shownRows(held.values(), SHOW_ALL_TYPES);
      expected.push({ name: `${name}, version ${commit}`, path, version: commit, rows: shown });
    }
  });
  return expected;
}

export async function inSession<Row>(
  connector: SinkConnector<Row>,
  work: (session: SinkSession<Row>) => Promise<void>,
): Promise<void> {
  const sink = await connector.open(CONTEXT);
  try {
    await work(await sink.recover(['0']));
  } finally {
    await sink.close();
  }
}

/** One commit; the offset counts rows. */
export async function commitRows<Row>(
  session: SinkSession<Row>,
  rows: readonly Row[],
  ops?: Uint8Array,
): Promise<void> {
  const transaction = await session.begin();
  await transaction.write({ partition: '0', rows, ...(ops === undefined ? {} : { ops }) });
  await transaction.prepare();
  const offset = (session.positions.get('0')?.offset ?? 0n) + BigInt(rows.length);
  const to = new Map([['0', { offset, source: { kind: 'proof', offset: offset.toString() } }]]);
  await transaction.commit({ from: session.positions, to });
}
