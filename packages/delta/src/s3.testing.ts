/** Tables in a real S3 server: a prefix for each test, one route straight, one through a proxy that loses what is said. */
import { localObjectStore, type ObjectStore } from '@eos/object-store';
import { s3ObjectStore } from '@eos/object-store/s3';
import type { S3Server } from '@eos/services';
import { proxyFaults, proxyOutage, tcpProxy, type Destination, type History } from '@eos/testkit';
import { CHILD, connectorOf, TABLE } from './conformance.testing.js';
import type { Mode } from './index.js';
import { TableReader } from './reading.testing.js';

/** A put of a version. Nobody claims while a fault is armed. */
const isCommit = (chunk: Buffer) => /^PUT [^ ]*_delta_log\/\d{20}\.json/m.test(chunk.toString('latin1'));

export interface S3Laboratory {
  destination(mode: Mode, prefix: string): Promise<Destination>;
  close(): Promise<void>;
}

/** The stores are the same for all tests: what a look at one has shown holds for the next. */
export async function s3Laboratory(server: S3Server): Promise<S3Laboratory> {
  const { endpoint, bucket, directory, region, accessKeyId, secretAccessKey } = server;
  const { hostname, port } = new URL(endpoint);
  const proxy = await tcpProxy({ host: hostname, port: Number(port) });
  const client = { region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } };
  const direct = s3ObjectStore({ bucket, client: { ...client, endpoint } });
  // One attempt: what is lost shall be seen, and not made good by the client.
  const faultyClient = { ...client, endpoint: `http://127.0.0.1:${proxy.port}`, maxAttempts: 1 };
  const faulty = s3ObjectStore({ bucket, client: faultyClient });
  return {
    async destination(mode, prefix) {
      proxy.accept();
      const path = `${prefix}${TABLE}`;
      // Where the server keeps its objects as files, the reader reads those.
      const readable = directory === undefined ? direct : localObjectStore({ root: directory });
      const reader = new TableReader(readable, `${path}/`, directory);
      return {
        connector: (route) => connectorOf({ store: route === 'direct' ? direct : faulty, path }, mode),
        rows: () => reader.rows(),
        faults: proxyFaults(proxy, { isCommit }),
        outage: proxyOutage(proxy),
        history: objectHistory(direct, prefix),
        recreate: undefined,
        child: {
          module: CHILD,
          options: { place: { bucket, client: { ...client, endpoint } }, path, mode },
        },
        async close() {
          await reader.close();
          proxy.cutAll();
        },
      };
    },
    async close() {
      await Promise.all([direct.close(), faulty.close()]);
      await proxy.close();
    },
  };
}

/** A backup of the objects below a prefix. */
function objectHistory(store: ObjectStore, prefix: string): History {
  const saved = new Map<string, Uint8Array>();
  return {
    async save() {
      saved.clear();
      for (const key of await keysOf(store, prefix)) {
        const found = await store.get(key);
        if (found !== undefined) saved.set(key, found.body);
      }
    },
    async restore() {
      await store.delete(await keysOf(store, prefix));
      for (const [key, body] of saved) await store.put(key, body);
    },
  };
}

async function keysOf(store: ObjectStore, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const page of store.list({ prefix })) keys.push(...page.map(({ key }) => key));
  return keys;
}
