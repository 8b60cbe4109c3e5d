import { describe, expect, test } from '@jest/globals';
import { rowSchema, t } from '@eos/core';
import { batchOf, D, I, logBatch, logOf, read, UA, UB, written } from './encoding.testing.js';
import { debezium } from './debezium-format.js';

const schema = rowSchema({ id: t.int64(), name: t.string().nullable() });
const format = debezium({ schema, key: ['id'] });
const of = (id: bigint, name = `n${id}`) => ({ id, name });

interface Envelope {
  readonly op: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly source: unknown;
}

async function envelopes(
  rows: readonly { id: bigint; name: string }[][],
  ops: readonly number[][],
  options = format,
) {
  const { texts, parts } = await written(
    options,
    rows.map((part, index) => batchOf(part, ops[index])),
  );
  const read = texts.map(([key, value]) => {
    const envelope = value === null ? null : (JSON.parse(value) as Envelope);
    return [key, envelope === null ? null : [envelope.op, envelope.before, envelope.after]];
  });
  return { read, texts, parts };
}

const one = { id: 1, name: 'n1' };
const two = { id: 2, name: 'n2' };

describe('debezium writes', () => {
  test.each<[string, { id: bigint; name: string }[][], number[][], unknown[]]>([
    ['inserts', [[of(1n)]], [[I]], [['{"id":1}', ['c', null, one]]]],
    [
      'a pair as one update',
      [[of(1n, 'old'), of(1n)]],
      [[UB, UA]],
      [['{"id":1}', ['u', { id: 1, name: 'old' }, one]]],
    ],
    [
      'a pair over two batches as one update',
      [[of(1n, 'old')], [of(1n)]],
      [[UB], [UA]],
      [['{"id":1}', ['u', { id: 1, name: 'old' }, one]]],
    ],
    ['an update without the old row', [[of(1n)]], [[UA]], [['{"id":1}', ['u', null, one]]]],
    [
      'deletes, with a tombstone behind',
      [[of(1n)]],
      [[D]],
      [
        ['{"id":1}', ['d', one, null]],
        ['{"id":1}', null],
      ],
    ],
    [
      'an update of the key as delete and create',
      [[of(1n), of(2n)]],
      [[UB, UA]],
      [
        ['{"id":1}', ['d', one, null]],
        ['{"id":1}', null],
        ['{"id":2}', ['c', null, two]],
      ],
    ],
    [
      'a first half alone as a delete',
      [[of(1n)], [of(2n)]],
      [[UB], [I]],
      [
        ['{"id":1}', ['d', one, null]],
        ['{"id":1}', null],
        ['{"id":2}', ['c', null, two]],
      ],
    ],
    [
      'a first half at the end as a delete',
      [[of(1n)]],
      [[UB]],
      [
        ['{"id":1}', ['d', one, null]],
        ['{"id":1}', null],
      ],
    ],
  ])('%s', async (_name, rows, ops, expected) => {
    expect((await envelopes(rows, ops)).read).toEqual(expected);
  });

  test('where a row came from', async () => {
    const { texts } = await envelopes([[of(1n)]], [[I]]);
    expect(JSON.parse(texts[0]?.[1] ?? '')).toMatchObject({
      source: { connector: 'eos', name: 'orders', sink: 'kafka', partition: 'flights.ndjson', offset: '100' },
      ts_ms: expect.any(Number),
    });
  });

  test('no tombstones without a key, or where they are not wanted', async () => {
    for (const options of [debezium({ schema }), debezium({ schema, key: ['id'], tombstones: false })]) {
      expect((await envelopes([[of(1n)]], [[D]], options)).read).toHaveLength(1);
    }
  });
});

describe('debezium reads', () => {
  test('what it wrote, as it was', async () => {
    const rows = [of(2n ** 60n + 1n), of(1n, 'old'), of(1n, 'né"w'), of(1n, 'né"w')];
    const ops = [I, UB, UA, D];
    const { parts } = await envelopes([rows], [ops]);
    const found = await read(
      format,
      logBatch(
        parts[0] ?? {
          count: 0,
          values: { bytes: Buffer.alloc(0), starts: new Int32Array(), ends: new Int32Array() },
        },
      ),
    );
    expect(found.rows).toEqual(rows);
    expect(found.ops).toEqual(ops);
    // Both rows of the update are of one record, and the tombstone behind the delete gives none.
    expect(found.indexes).toEqual([0, 1, 1, 2]);
  });

  test('snapshots and envelopes with the schema of Kafka Connect around them', async () => {
    const payload =
      '{"op": "r", "before" : null , "after": {"id": 9007199254740993, "name": null}, "source": {"op":"x","a":[1,{"b":"}"}]}}';
    const log = logOf([
      [
        '{"schema":{"type":"struct"},"payload":{"id":1}}',
        `{"schema": {"fields": [{"field":"op"}]}, "payload": ${payload}}`,
      ],
    ]);
    expect((await read(format, log)).rows).toEqual([{ id: 9007199254740993n, name: null }]);
  });

  test('by key: deletes of the key alone, updates without the old row', async () => {
    const upsert = debezium({ schema, key: ['id'], changelog: 'upsert' });
    const log = logOf([
      ['{"id":1}', '{"op":"u","before":null,"after":{"id":1,"name":"a"}}'],
      ['{"schema":{},"payload":{"id":1}}', '{"op":"d","before":null,"after":null}'],
      ['{"id":1}', null],
      ['{"id":1}', '{"op":"m","message":{}}'],
    ]);
    const found = await read(upsert, log);
    expect(found.rows).toEqual([
      { id: 1n, name: 'a' },
      { id: 1n, name: null },
    ]);
    expect(found.ops).toEqual([UA, D]);
  });

  test.each([
    ['an update without the old row', '{"op":"u","before":null,"after":{"id":1}}', 'before'],
    ['a delete without the old row', '{"op":"d","after":null}', 'before'],
    ['a create without a row', '{"op":"c","after":null}', 'after'],
    ['a truncation', '{"op":"t"}', 'op "t"'],
    ['an object that is no envelope', '{"id":1}', 'op is missing'],
    ['an array', '[1]', 'no JSON object'],
    ['half an object', '{"op":"c","after":{"id":1', 'offset 0'],
    ['a row of other types', '{"op":"c","after":{"id":"x"}}', 'column id'],
  ])('not %s', async (_name, text, message) => {
    await expect(read(format, logOf([['{"id":1}', text]]))).rejects.toMatchObject({
      code: 'EOS_SOURCE_FORMAT',
      message: expect.stringContaining(message),
    });
  });
});
