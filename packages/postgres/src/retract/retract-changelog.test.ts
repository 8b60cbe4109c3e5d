/** Random changelogs over few rows with odd values, cut at random, against a multiset that is counted by hand. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Op, type Sink, type SinkSession, type SinkTransaction } from '@eos/core';
import { describeWithService } from '@eos/services';
import fc from 'fast-check';
import {
  batchOf,
  failureOf,
  rangeOf,
  seed,
  withDatabase,
  type Fixture,
  type Row,
} from '../database.testing.js';

/** A row as the server writes it in `READ`, and the ways to write it here. */
interface Kind {
  readonly name: string;
  readonly rows: readonly Row[];
}

const KINDS: readonly Kind[] = [
  { name: '-|-|-|-|-', rows: [{}, { n: null, f: null, j: undefined, at: null, list: null }] },
  { name: '1|-|-|-|-', rows: [{ n: '1' }, { n: '1.00' }, { n: '+01.0' }] },
  { name: '-|1|-|-|-', rows: [{ f: 1 }] },
  { name: '-|0|-|-|-', rows: [{ f: 0 }, { f: -0 }] },
  { name: '-|NaN|-|-|-', rows: [{ f: NaN }] },
  {
    name: '-|-|{"a": 1, "b": null}|-|-',
    rows: [{ j: { a: 1, b: null } }, { j: { b: null, a: 1 } }],
  },
  { name: '-|-|{"a": 1}|-|-', rows: [{ j: { a: 1 } }] },
  { name: '-|-|-|0.000001|-', rows: [{ at: 1n }] },
  { name: '-|-|-|0.001000|-', rows: [{ at: 1000n }, { at: new Date(1) }] },
  { name: '-|-|-|-|{NULL,NaN,1}', rows: [{ list: '{NULL,NaN,1}' }, { list: '{null, nan, "1.0"}' }] },
  { name: '-|-|-|-|{NaN,NULL,1}', rows: [{ list: '{NaN,NULL,1}' }] },
  { name: '-|-|-|-|{}', rows: [{ list: '{}' }] },
];

const READ = `
  SELECT concat_ws('|', coalesce(trim_scale(n)::text, '-'), CASE f WHEN 0 THEN '0' ELSE coalesce(f::text, '-') END,
    coalesce(j::text, '-'), coalesce(extract(epoch FROM at)::text, '-'), coalesce(list::float8[]::text, '-')) AS name,
    count(*)::int FROM odd GROUP BY 1`;

type Counts = Map<string, number>;

interface Change {
  readonly kind: Kind;
  readonly row: Row;
  readonly op: Op;
}

/** A number each, taken modulo what there is to choose from. */
interface Draw {
  readonly kind: number;
  readonly spelling: number;
  readonly action: number;
}

const natural = fc.nat({ max: 1000 });
const drawsArbitrary = fc.array(fc.record({ kind: natural, spelling: natural, action: natural }), {
  minLength: 1,
  maxLength: 80,
  size: 'max',
});
const cutsArbitrary = fc.record({
  batch: fc.integer({ min: 1, max: 12 }),
  commit: fc.integer({ min: 1, max: 25 }),
  /** After so many commits the session ends and another one claims. */
  restart: fc.integer({ min: 1, max: 6 }),
  /** Whether the next transaction is written while the last one commits. */
  overlap: fc.boolean(),
});
type Cuts = typeof cutsArbitrary extends fc.Arbitrary<infer T> ? T : never;

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  const TABLE = `
    CREATE TABLE odd (n numeric, f double precision, j jsonb, at timestamptz, list numeric[],
      eos_row_hash bigint GENERATED ALWAYS AS (pg_catalog.hash_record_extended(ROW(n, f, j, at, list), 0)) STORED);
    CREATE INDEX ON odd (eos_row_hash)`;

  test(`a changelog that only takes back what is there ends as counted (seed ${seed})`, async () => {
    await withDatabase(getService(), async (fixture) => {
      await fixture.query(TABLE);
      const property = fc.asyncProperty(drawsArbitrary, cutsArbitrary, async (draws, cuts) => {
        const held: Counts = new Map();
        const changes = draws.map((draw) => possible(changeOf(draw), held));
        await run(fixture, cuts, changes);
        await expectCounts(fixture, held);
      });
      await fc.assert(property, { seed, numRuns: 15 });
    });
  }, 240_000);

  test(`where rows are taken back that are not there, no count falls below zero (seed ${seed})`, async () => {
    await withDatabase(getService(), async (fixture) => {
      await fixture.query(TABLE);
      const property = fc.asyncProperty(drawsArbitrary, cutsArbitrary, async (draws, cuts) => {
        const changes = draws.map(changeOf);
        await run(fixture, cuts, changes, { missingRow: 'count' });
        await expectCounts(fixture, countedByCommit(changes, cuts.commit));
      });
      await fc.assert(property, { seed, numRuns: 15 });
    });
  }, 240_000);

  test(`and by default the first transaction that takes back too much stops, and leaves nothing (seed ${seed})`, async () => {
    await withDatabase(getService(), async (fixture) => {
      await fixture.query(TABLE);
      const property = fc.asyncProperty(drawsArbitrary, cutsArbitrary, async (draws, cuts) => {
        const changes = draws.map(changeOf);
        const { held, failsAt } = countedUntilShort(changes, cuts.commit);
        const running = run(fixture, cuts, changes);
        if (failsAt === undefined) await running;
        else {
          const { code, details } = await failureOf(running);
          expect(code).toBe('EOS_ROW');
          // Its offset is that of a change of the transaction that stops.
          expect(Math.floor(Number(details['offset']) / cuts.commit)).toBe(failsAt);
        }
        await expectCounts(fixture, held);
      });
      await fc.assert(property, { seed, numRuns: 15 });
    });
  }, 240_000);
});

function changeOf({ kind, spelling, action }: Draw): Change {
  const chosen = KINDS[kind % KINDS.length];
  const row = chosen?.rows[spelling % chosen.rows.length];
  if (chosen === undefined || row === undefined) throw new RangeError('no such kind');
  return {
    kind: chosen,
    row,
    op: ([Op.insert, Op.updateBefore, Op.updateAfter, Op.delete] as const)[action % 4] ?? 0,
  };
}

/** Adds instead of taking back what is not there. */
function possible(change: Change, held: Counts): Change {
  const count = held.get(change.kind.name) ?? 0;
  const op = isTaken(change.op) && count === 0 ? Op.insert : change.op;
  held.set(change.kind.name, count + (isTaken(op) ? -1 : 1));
  return { ...change, op };
}

function isTaken(op: Op): boolean {
  return op === Op.delete || op === Op.updateBefore;
}

/** What each transaction adds up to, by kind. */
function netOf(changes: readonly Change[]): Counts {
  const net: Counts = new Map();
  for (const { kind, op } of changes) net.set(kind.name, (net.get(kind.name) ?? 0) + (isTaken(op) ? -1 : 1));
  return net;
}

function commitsOf(changes: readonly Change[], size: number): readonly (readonly Change[])[] {
  return Array.from({ length: Math.ceil(changes.length / size) }, (_, index) =>
    changes.slice(index * size, (index + 1) * size),
  );
}

function countedByCommit(changes: readonly Change[], size: number): Counts {
  const held: Counts = new Map();
  for (const part of commitsOf(changes, size)) {
    for (const [name, net] of netOf(part)) held.set(name, Math.max(0, (held.get(name) ?? 0) + net));
  }
  return held;
}

function countedUntilShort(changes: readonly Change[], size: number) {
  const held: Counts = new Map();
  for (const [index, part] of commitsOf(changes, size).entries()) {
    const net = netOf(part);
    if ([...net].some(([name, more]) => (held.get(name) ?? 0) + more < 0)) return { held, failsAt: index };
    for (const [name, more] of net) held.set(name, (held.get(name) ?? 0) + more);
  }
  return { held, failsAt: undefined };
}

async function expectCounts(fixture: Fixture, held: Counts): Promise<void> {
  const found = await fixture.query<{ name: string; count: number }>(READ);
  const expected = [...held].filter(([, count]) => count > 0);
  expect(new Map(found.map(({ name, count }) => [name, count]))).toEqual(new Map(expected));
}

let runs = 0;

/** Writes the changes into the emptied table. */
async function run(
  fixture: Fixture,
  cuts: Cuts,
  changes: readonly Change[],
  options: { readonly missingRow?: 'count' } = {},
): Promise<void> {
  await fixture.query('TRUNCATE odd');
  runs += 1;
  const at = { pipeline: 'changelog', sink: `run-${runs}` };
  const sink = await fixture.open({ table: 'odd', mode: 'retract', ...options }, at);
  try {
    await write(sink, cuts, commitsOf(changes, cuts.commit));
  } finally {
    await sink.close();
  }
}

async function write(sink: Sink<Row>, cuts: Cuts, commits: readonly (readonly Change[])[]): Promise<void> {
  let session = await sink.recover(['0']);
  let settling = Promise.resolve();
  for (const [index, part] of commits.entries()) {
    if (index % cuts.restart === 0) {
      await settling;
      await session.close();
      session = await sink.recover(['0']);
    }
    if (!cuts.overlap) await settling;
    const transaction = await session.begin();
    await fill(transaction, part, index * cuts.commit, cuts.batch);
    await settling;
    settling = settle(session, transaction, BigInt(index * cuts.commit + part.length));
    settling.catch(() => undefined);
  }
  await settling;
  await session.close();
}

async function fill(
  transaction: SinkTransaction<Row>,
  part: readonly Change[],
  first: number,
  size: number,
): Promise<void> {
  for (let start = 0; start < part.length; start += size) {
    const batch = part.slice(start, start + size);
    await transaction.write(
      batchOf({ rows: batch.map(({ row }) => row), ops: batch.map(({ op }) => op) }, first + start),
    );
  }
}

async function settle(
  session: SinkSession<Row>,
  transaction: SinkTransaction<Row>,
  offset: bigint,
): Promise<void> {
  await transaction.prepare();
  await transaction.commit(rangeOf(session, offset));
}
