/** Tables that are not as the options say, or are altered while a session writes. */
import { rowSchema, t } from '@eos/core';
import { memoryObjectStore, type ObjectStore } from '@eos/object-store';
import { describe, expect, test } from '@jest/globals';
import { citySchema, commitCities, openCities, TABLE_PREFIX } from '../cities.testing.js';
import { deltaSink, type DeltaSinkOptions } from '../index.js';
import { NO_ACTIONS, type Metadata } from '../log/actions.js';
import { DeltaLog } from '../log/delta-log.js';
import { readTable } from '../log/read-table.js';

const PLACE = { prefix: TABLE_PREFIX };
const CONTEXT = { pipeline: 'pipeline', sink: 'sink' };

async function madeTable(options: Partial<DeltaSinkOptions> = {}): Promise<ObjectStore> {
  const store = memoryObjectStore();
  const sink = await openCities(store, {}, options);
  await commitCities(await sink.recover(['0']));
  await sink.close();
  return store;
}

/** Somebody else alters the table. */
async function alter(store: ObjectStore, change: (metadata: Metadata) => Metadata): Promise<void> {
  const log = await DeltaLog.open(store, PLACE);
  const metadata = change(log.state.metadata);
  expect(await log.append({ ...NO_ACTIONS, metadata }, () => true)).toBe(true);
}

function opening(store: ObjectStore, options: Omit<DeltaSinkOptions, 'store' | 'path'>): Promise<unknown> {
  return deltaSink({ ...options, store, path: 'table' }).open(CONTEXT);
}

describe('a table that does not fit the rows is refused when it is opened', () => {
  test.each<[string, Omit<DeltaSinkOptions, 'store' | 'path'>, object]>([
    [
      'a column that it lacks',
      { schema: rowSchema({ ...citySchema.columns, more: t.date().nullable() }) },
      { column: 'more' },
    ],
    ['a column of another type', { schema: rowSchema({ id: t.string() }) }, { column: 'id' }],
    ['a column that may not be null', { schema: rowSchema({ city: t.string() }) }, { column: 'id' }],
    ['other partitions', { schema: citySchema, partitionBy: ['city'] }, { expected: ['city'], found: [] }],
    [
      'a column to add that may not be null',
      { schema: rowSchema({ ...citySchema.columns, more: t.date() }), evolution: 'add-nullable' },
      { column: 'more' },
    ],
    [
      'a column to add that differs in case only',
      { schema: rowSchema({ id: t.int64(), City: t.string().nullable() }), evolution: 'add-nullable' },
      { column: 'City' },
    ],
  ])('%s', async (_, options, details) => {
    await expect(opening(await madeTable(), options)).rejects.toMatchObject({ code: 'EOS_SCHEMA', details });
  });

  test('upserts into a table that only grows', async () => {
    const store = await madeTable({ properties: { 'delta.appendOnly': 'true' } });
    const options = { schema: citySchema, mode: 'upsert', key: ['id'] } as const;
    await expect(opening(store, options)).rejects.toMatchObject({ code: 'EOS_SCHEMA' });
    await expect(opening(store, { schema: citySchema })).resolves.toBeDefined();
  });

  test('a narrower number goes into a wider column', async () => {
    const schema = rowSchema({ id: t.int32(), city: t.string().nullable() });
    await expect(opening(await madeTable(), { schema })).resolves.toBeDefined();
  });
});

describe('a table that is not there', () => {
  test.each<[string, Omit<DeltaSinkOptions, 'store' | 'path'>, boolean]>([
    ['must be', { schema: citySchema }, true],
    ['is not to be made', { schema: citySchema, create: false }, false],
    ['is not described', {}, false],
  ])('and %s is not made', async (_, options, mustExist) => {
    const store = memoryObjectStore();
    const sink = await deltaSink({ ...options, store, path: 'table' }).open({ ...CONTEXT, mustExist });
    await expect(sink.recover(['0'])).rejects.toMatchObject({ code: 'EOS_SCHEMA' });
    expect((await readTable(store, PLACE)).state.version).toBe(-1);
    await sink.close();
  });

  test('is made by one of several that come at once', async () => {
    const store = memoryObjectStore();
    const sinks = await Promise.all(['a', 'b', 'c', 'd'].map((pipeline) => openCities(store, { pipeline })));
    const sessions = await Promise.all(sinks.map((sink) => sink.recover(['0'])));
    const targets = sessions.map((session) => session.positions.get('0')?.target);
    expect(new Set(targets).size).toBe(1);
    for (const session of sessions) await commitCities(session);
    const { state } = await readTable(store, PLACE);
    expect({ version: state.version, id: state.metadata.id }).toEqual({ version: 7, id: targets[0] });
    await Promise.all(sinks.map((sink) => sink.close()));
  });
});

describe('a table that somebody alters while a session writes', () => {
  test('ends the session in a way that may be tried again, and the next one writes what there is', async () => {
    const store = memoryObjectStore();
    const sink = await openCities(store);
    const session = await sink.recover(['0']);
    await commitCities(session);
    await alter(store, (metadata) => ({ ...metadata, description: 'altered' }));
    await expect(commitCities(session)).rejects.toMatchObject({
      code: 'EOS_UNAVAILABLE',
      retryable: true,
      outcome: 'aborted',
    });
    const next = await sink.recover(['0']);
    await commitCities(next);
    expect((await sink.positions()).get('0')).toMatchObject({ epoch: 2n, offset: 2n });
    await sink.close();
  });

  test('so that a rule must be heeded that we do not know, stops the next session by name', async () => {
    const store = memoryObjectStore();
    const sink = await openCities(store);
    const session = await sink.recover(['0']);
    await alter(store, (metadata) => ({
      ...metadata,
      configuration: { ...metadata.configuration, 'delta.constraints.few': 'id < 10' },
    }));
    await expect(commitCities(session)).rejects.toMatchObject({ retryable: true });
    await expect(sink.recover(['0'])).rejects.toMatchObject({
      code: 'EOS_SCHEMA',
      details: { constraint: 'few' },
    });
    await sink.close();
  });

  test('so that it is another table, stops: its positions belong to the one before', async () => {
    const store = memoryObjectStore();
    const sink = await openCities(store);
    const session = await sink.recover(['0']);
    await commitCities(session);
    await alter(store, (metadata) => ({ ...metadata, id: 'another' }));
    await expect(commitCities(session)).rejects.toMatchObject({ code: 'EOS_TARGET_CHANGED' });
    await expect(sink.recover(['0'])).rejects.toMatchObject({ code: 'EOS_TARGET_CHANGED' });
    await sink.close();
  });

  test('a column that is added by one session ends that of another pipeline, which goes on with the new table', async () => {
    const store = await madeTable();
    const other = await openCities(store, { pipeline: 'other' });
    const session = await other.recover(['0']);
    const schema = rowSchema({ ...citySchema.columns, more: t.date().nullable() });
    const evolving = await deltaSink({ store, path: 'table', schema, evolution: 'add-nullable' }).open(
      CONTEXT,
    );
    await evolving.recover(['0']);
    const { state } = await readTable(store, PLACE);
    expect(state.metadata.schemaString).toContain('"more"');
    await expect(commitCities(session)).rejects.toMatchObject({ retryable: true });
    await commitCities(await other.recover(['0']));
    await Promise.all([other.close(), evolving.close()]);
  });
});
