/**
 * The example of the README: Avro with a schema registry. The registry is a small one of HTTP, with the two requests of Confluent's that clients
 * make: a schema gets an id, and an id gives its schema.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import avro from 'avsc';
import { batchOf, D, I, logBatch, read, UA, UB, written } from './encoding.testing.js';
import { serializer } from './serializer-format.js';

interface Order {
  readonly id: number;
  readonly note: string | null;
}

const ORDER = {
  type: 'record',
  name: 'Order',
  fields: [
    { name: 'id', type: 'int' },
    { name: 'note', type: ['null', 'string'] },
  ],
};
const KEY = { type: 'record', name: 'Key', fields: [{ name: 'id', type: 'int' }] };

let server: Server;
let requests = 0;
const schemas: string[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    requests++;
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      if (request.method === 'POST') {
        const { schema } = JSON.parse(body) as { schema: string };
        if (!schemas.includes(schema)) schemas.push(schema);
        response.end(JSON.stringify({ id: schemas.indexOf(schema) + 1 }));
        return;
      }
      const schema = schemas[Number(request.url?.split('/').at(-1)) - 1];
      response.statusCode = schema === undefined ? 404 : 200;
      response.end(JSON.stringify(schema === undefined ? { error_code: 40403 } : { schema }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => void server.close());

/** What a registry's client does: ids are asked for once, records begin with a zero byte and the id. */
function registry(url: string) {
  const ids = new Map<string, Promise<number>>();
  const types = new Map<number, Promise<avro.Type>>();
  const json = async (path: string, body?: object): Promise<unknown> => {
    const response = await fetch(
      url + path,
      body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) },
    );
    if (!response.ok) throw new Error(`the registry answered ${response.status} to ${path}`);
    return await response.json();
  };
  const once = <Key, Value>(map: Map<Key, Promise<Value>>, key: Key, make: () => Promise<Value>) => {
    const found = map.get(key) ?? make();
    map.set(key, found);
    found.catch(() => map.delete(key));
    return found;
  };
  return {
    async encoder(subject: string, schema: object) {
      const text = JSON.stringify(schema);
      const id = await once(
        ids,
        text,
        async () => ((await json(`/subjects/${subject}/versions`, { schema: text })) as { id: number }).id,
      );
      const head = Buffer.alloc(5);
      head.writeInt32BE(id, 1);
      const type = avro.Type.forSchema(schema as avro.Schema);
      return (value: unknown) => Buffer.concat([head, type.toBuffer(value)]);
    },
    async decode(bytes: Buffer): Promise<unknown> {
      const id = bytes.readInt32BE(1);
      const type = await once(types, id, async () => {
        const { schema } = (await json(`/schemas/ids/${id}`)) as { schema: string };
        return avro.Type.forSchema(JSON.parse(schema) as avro.Schema);
      });
      return type.fromBuffer(bytes.subarray(5));
    },
  };
}

function orders(url: string) {
  const client = registry(url);
  return serializer<Order>({
    mode: 'upsert',
    key: ['id'],
    async serializeKeys(rows) {
      const encode = await client.encoder('orders-key', KEY);
      return rows.map(({ id }) => encode({ id }));
    },
    async serializeValues(rows) {
      const encode = await client.encoder('orders-value', ORDER);
      return rows.map(({ id, note }) => encode({ id, note }));
    },
    deserialize: (records) =>
      Promise.all(
        records.map(async ({ key, value }): Promise<Order> => {
          if (value === null)
            return { ...((await client.decode(key ?? Buffer.alloc(0))) as { id: number }), note: null };
          const { id, note } = (await client.decode(value)) as Order;
          return { id, note };
        }),
      ),
  });
}

const address = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

test('Avro is written and read with a schema registry, which is asked once for each schema', async () => {
  const format = orders(address());
  const rows = [
    { id: 1, note: 'new' },
    { id: 1, note: 'new' },
    { id: 1, note: 'paid' },
    { id: 2, note: null },
    { id: 2, note: null },
  ];
  const { parts } = await written(format, [
    batchOf(rows.slice(0, 2), [I, UB]),
    batchOf(rows.slice(2), [UA, I, D]),
  ]);
  const found = await Promise.all(parts.map((part) => read(format, logBatch(part))));
  expect(found.flatMap((part) => part.rows)).toEqual([rows[0], rows[2], rows[3], { id: 2, note: null }]);
  expect(found.flatMap((part) => part.ops)).toEqual([UA, UA, UA, D]);
  expect(requests).toBe(4);
});

test('a record of an unknown schema is one that cannot be read; a registry that is away is tried again', async () => {
  const format = orders(address());
  const { parts } = await written(format, [
    batchOf([
      { id: 1, note: 'x' },
      { id: 2, note: 'y' },
    ]),
  ]);
  const [records] = parts;
  if (records === undefined) throw new Error('nothing was written');
  records.values.bytes.writeInt32BE(99, (records.values.starts[1] ?? 0) + 1);
  const { rows, poison } = await read(format, logBatch(records), true);
  expect(rows).toEqual([{ id: 1, note: 'x' }]);
  expect(poison.map(({ index, error }) => [index, error.code])).toEqual([[1, 'EOS_SOURCE_FORMAT']]);

  const away = orders('http://127.0.0.1:1');
  await expect(read(away, logBatch(records), true)).rejects.toMatchObject({
    code: 'EOS_SOURCE_UNAVAILABLE',
    retryable: true,
  });
});
