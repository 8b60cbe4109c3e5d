import { describe, expect, test } from '@jest/globals';
import {
  EosError,
  memorySink,
  memoryStore,
  Op,
  pipeline,
  rowSchema,
  t,
  type Position,
  type Positions,
  type Source,
  type SourceBatch,
  type SourceIdentity,
} from '@eos/core';
import { flights, flightsOf, testStore, type Flight, PREFIX, seed, Writer } from '../commits.testing.js';
import type { ObjectStore } from '@eos/object-store';
import { seqText } from '../log/keys.js';
import { openTable } from '../reader/open-table.js';
import { s3Source } from './s3-source.js';

const never = new AbortController().signal;
const LOG = 'test/files';

interface Read extends SourceBatch<Record<string, unknown>> {
  readonly source: SourceIdentity;
}

async function readAll(
  source: Source<Record<string, unknown>>,
  { positions = new Map(), limits = [1000] }: { positions?: Positions; limits?: readonly number[] } = {},
): Promise<Read[]> {
  const batches: Read[] = [];
  for await (const assignment of source.assignments({ pipeline: 'next', signal: never })) {
    const reader = await assignment.open(positions, never);
    try {
      for (;;) {
        const rows = limits[batches.length % limits.length] ?? 1000;
        const batch = await reader.read({ rows });
        if (batch === undefined) break;
        expect(batch.rows.length).toBeGreaterThan(0);
        expect(batch.rows.length).toBeLessThanOrEqual(rows);
        expect(batch.offsets.length).toBe(batch.rows.length);
        batches.push({ ...batch, source: await batch.identity() });
      }
    } finally {
      await reader.close();
    }
  }
  return batches;
}

const rowsOf = (batches: readonly Read[]) => batches.flatMap(({ rows }) => rows);

function positionAt({ next, source }: Read): Positions {
  const position: Position = { epoch: 1n, offset: next, txId: 1n, owner: 1n, source, target: 'x' };
  return new Map([[LOG, position]]);
}

describe('s3Source', () => {
  test(`gives what was committed, in its order, whatever the limits, and goes on from every batch (seed ${seed})`, async () => {
    const store = testStore();
    const options = { store, prefix: PREFIX, schema: flights, roll: { rows: 7 } };
    const [writer, other] = [await Writer.open(options), await Writer.open(options, { pipeline: 'other' })];
    for (let commit = 0; commit < 5; commit++) {
      await writer.commit(flightsOf(commit * 20, commit * 20 + 20));
      await other.commit(flightsOf(10_000 + commit, 10_002 + commit));
      await writer.commit([]);
    }
    const source = s3Source({ store, prefix: PREFIX, pipeline: 'test', sink: 'files' });
    const expected = flightsOf(0, 100);
    const limits = [1 + (seed % 5), 3, 50, 1];
    const batches = await readAll(source, { limits });
    expect(rowsOf(batches)).toEqual(expected);
    const offsets = batches.flatMap((batch) => [...batch.offsets, batch.next]);
    batches.forEach(({ offsets: own, next }) => expect(next).toBeGreaterThan(own.at(-1) ?? -1n));
    expect(offsets.every((offset, index) => index === 0 || offset >= (offsets[index - 1] ?? 0n))).toBe(true);
    let done = 0;
    for (const batch of batches) {
      done += batch.rows.length;
      const rest = rowsOf(await readAll(source, { positions: positionAt(batch) }));
      expect(rest).toEqual(expected.slice(done));
    }
    await writer.close();
    await other.close();
  });

  test('is the input of another pipeline, which stands still where nothing was added', async () => {
    const store = testStore();
    const writer = await Writer.open({ store, prefix: PREFIX, schema: flights });
    await writer.commit(flightsOf(0, 50));
    const target = memoryStore<Record<string, unknown>>();
    const next = () =>
      pipeline({
        id: 'next',
        source: s3Source({ store, prefix: PREFIX, pipeline: 'test', sink: 'files' }),
        sinks: { memory: memorySink(target) },
        trigger: { rows: 7 },
      }).run();
    expect((await next()).rows).toBe(50);
    expect((await next()).rows).toBe(0);
    await writer.commit(flightsOf(50, 60));
    expect((await next()).rows).toBe(10);
    expect(target.rows()).toEqual(flightsOf(0, 60));
    await writer.close();
  });

  test('of a changelog gives changes, also deletes that bring their key only', async () => {
    const store = testStore();
    const options = { store, prefix: PREFIX, schema: flights, mode: 'upsert', key: ['id'] } as const;
    const writer = await Writer.open(options);
    const changes = [
      { id: 1n, origin: 'a', delay: 1 },
      { id: 1n, origin: 'a', delay: 1 },
      { id: 1n, origin: 'b', delay: 2 },
    ];
    const ops = [Op.insert, Op.updateBefore, Op.updateAfter, Op.delete];
    await writer.commit([...changes, { id: 1n } as Flight], ops);
    const source = s3Source({ store, prefix: PREFIX, pipeline: 'test', sink: 'files', changelog: 'upsert' });
    const [batch] = await readAll(source);
    expect([...(batch?.ops ?? [])]).toEqual(ops);
    expect(batch?.rows).toEqual([...changes, { id: 1n, origin: null, delay: null }]);
    const wrong = s3Source({ store, prefix: PREFIX, pipeline: 'test', sink: 'files' });
    await expect(readAll(wrong)).rejects.toMatchObject({
      code: 'EOS_CONFIG',
      details: { option: 'changelog' },
    });
    await writer.close();
  });

  test('begins behind the entry that a table was read as of', async () => {
    const store = testStore();
    const writer = await Writer.open({ store, prefix: PREFIX, schema: flights });
    await writer.commit(flightsOf(0, 5));
    const { seq } = await openTable(store, PREFIX);
    await writer.commit(flightsOf(5, 9));
    const source = s3Source({ store, prefix: PREFIX, pipeline: 'test', sink: 'files', after: seq });
    expect(rowsOf(await readAll(source))).toEqual(flightsOf(5, 9));
    await writer.close();
  });

  test('waits for more where it follows, until it is stopped', async () => {
    const store = testStore();
    const writer = await Writer.open({ store, prefix: PREFIX, schema: flights });
    await writer.commit(flightsOf(0, 3));
    const source = s3Source({
      store,
      prefix: PREFIX,
      pipeline: 'test',
      sink: 'files',
      follow: true,
      pollMs: 5,
    });
    const stop = new AbortController();
    for await (const assignment of source.assignments({ pipeline: 'next', signal: stop.signal })) {
      const reader = await assignment.open(new Map(), stop.signal);
      expect((await reader.read({ rows: 10 }))?.rows).toEqual(flightsOf(0, 3));
      const waiting = reader.read({ rows: 10 });
      await writer.commit(flightsOf(3, 6));
      expect((await waiting)?.rows).toEqual(flightsOf(3, 6));
      const stopped = reader.read({ rows: 10 });
      stop.abort();
      await expect(stopped).rejects.toMatchObject({ code: 'EOS_ABORTED' });
      await reader.close();
    }
    await writer.close();
  });

  test('tells how many rows lie behind a position', async () => {
    const store = testStore();
    const writer = await Writer.open({ store, prefix: PREFIX, schema: flights });
    await writer.commit(flightsOf(0, 10));
    await writer.commit(flightsOf(10, 30));
    const source = s3Source({ store, prefix: PREFIX, pipeline: 'test', sink: 'files' });
    const [, half] = await readAll(source, { limits: [7, 5, 100] });
    if (half === undefined) throw new Error('no second batch');
    const lag = async (positions: Positions) => (await source.abilities?.lag?.(positions))?.get(LOG)?.behind;
    expect(await lag(new Map())).toBe(30n);
    expect(await lag(positionAt(half))).toBe(BigInt(30 - 10));
    await writer.close();
  });

  test('stops where the log is another one, went back, or its files were vacuumed', async () => {
    const store = testStore();
    const options = { store, prefix: PREFIX, schema: flights };
    const writer = await Writer.open(options);
    await writer.commit(flightsOf(0, 10));
    await writer.commit(flightsOf(10, 20));
    const source = s3Source({ store, prefix: PREFIX, pipeline: 'test', sink: 'files' });
    const batches = await readAll(source, { limits: [4] });
    const [first] = batches;
    const last = batches.at(-1);
    if (first === undefined || last === undefined) throw new Error('no batch');
    const changed = { code: 'EOS_SOURCE_CHANGED' };
    const elsewhere = s3Source({ store, prefix: PREFIX, pipeline: 'test', sink: 'others' });
    await expect(
      readAll(elsewhere, { positions: renamed(positionAt(last), 'test/others') }),
    ).rejects.toMatchObject(changed);
    // A file that is gone is told, and never passed over.
    const [file] = await filesOf(store);
    await store.delete([`${PREFIX}${file ?? ''}`]);
    await expect(readAll(source, { positions: positionAt(first) })).rejects.toMatchObject({
      ...changed,
      details: { path: file },
    });
    // The last entry is taken away, and another one put in its place.
    await writer.close();
    await store.delete([`${PREFIX}_eos/log/${seqText((await openTable(store, PREFIX)).seq)}.json`]);
    await expect(readAll(source, { positions: positionAt(last) })).rejects.toMatchObject(changed);
    const again = await Writer.open(options);
    await again.commit(flightsOf(10, 20));
    await expect(readAll(source, { positions: positionAt(last) })).rejects.toMatchObject(changed);
    await again.close();
  });

  test('of a table that becomes visible by listing, never gives what may be taken back', async () => {
    const inner = testStore();
    let isCompleting = false;
    const store: ObjectStore = {
      ...inner,
      complete: async (...args) => {
        const [{ key }] = args;
        if (isCompleting || key.includes('_eos/probe')) return await inner.complete(...args);
        throw new EosError('EOS_UNAVAILABLE', 'the writer has died', { retryable: true });
      },
    };
    const options = { store, prefix: PREFIX, schema: flights, visibility: 'listing' } as const;
    const writer = await Writer.open(options);
    await writer.commit(flightsOf(0, 10));
    const source = s3Source({ store, prefix: PREFIX, pipeline: 'test', sink: 'files' });
    expect(await readAll(source)).toEqual([]);
    isCompleting = true;
    await writer.commit(flightsOf(10, 20));
    expect(rowsOf(await readAll(source))).toEqual(flightsOf(0, 20));
    await writer.close();
  });

  test('gives the columns that are asked for, as the table has them', async () => {
    const store = testStore();
    const options = { store, prefix: PREFIX, schema: flights };
    const writer = await Writer.open(options);
    await writer.commit(flightsOf(0, 3));
    await writer.close();
    const wider = rowSchema({ ...flights.columns, gate: t.string().nullable() });
    const later = await Writer.open({ ...options, schema: wider, evolution: 'add-nullable' });
    await later.commit([{ id: 3n, origin: 'x', gate: 'B7' }]);
    await later.close();
    const place = { store, prefix: PREFIX, pipeline: 'test', sink: 'files' };
    const gates = s3Source({ ...place, schema: rowSchema({ id: t.int64(), gate: t.string().nullable() }) });
    expect(rowsOf(await readAll(gates))).toEqual([
      { id: 0n },
      { id: 1n },
      { id: 2n },
      { id: 3n, gate: 'B7' },
    ]);
    const wrong = s3Source({ ...place, schema: rowSchema({ id: t.string() }) });
    await expect(readAll(wrong)).rejects.toMatchObject({ code: 'EOS_SCHEMA', details: { column: 'id' } });
  });
});

function renamed(positions: Positions, name: string): Positions {
  return new Map([...positions].map(([, position]) => [name, position]));
}

async function filesOf(store: ObjectStore): Promise<readonly string[]> {
  const paths: string[] = [];
  for await (const { path } of (await openTable(store, PREFIX)).files()) paths.push(path);
  return paths;
}
