/** Tables in a real S3 server: a prefix for each test, one route straight, one through a proxy that loses what is said. */
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { localObjectStore, type ObjectStore } from '@eos/object-store';
import { s3ObjectStore } from '@eos/object-store/s3';
import type { S3Server } from '@eos/services';
import { proxyFaults, proxyOutage, tcpProxy, type Destination } from '@eos/testkit';
import { connectorOf, TABLE } from './conformance.testing.js';
import type { Mode } from './index.js';
import { TableReader } from './reading.testing.js';

const CHILD = new URL('../testing/conformance-child.mjs', import.meta.url);

/** A put of a version. What of it is a claim is not asked for while a fault is armed. */
const isCommit = (chunk: Buffer) => /^PUT [^ ]*_delta_log\/\d{20}\.json/m.test(chunk.toString('latin1'));

export function configOf({ region, accessKeyId, secretAccessKey, endpoint }: S3Server): S3ClientConfig {
  return { region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey }, endpoint };
}

export async function s3Destination(server: S3Server, mode: Mode, prefix: string): Promise<Destination> {
  const { endpoint, bucket, directory } = server;
  const { hostname, port } = new URL(endpoint);
  const proxy = await tcpProxy({ host: hostname, port: Number(port) });
  const client = new S3Client(configOf(server));
  // One attempt: what is lost shall be seen, and not made good by the client.
  const faultyConfig = { ...configOf(server), endpoint: `http://127.0.0.1:${proxy.port}`, maxAttempts: 1 };
  const store = s3ObjectStore({ bucket, prefix, client });
  const faulty = s3ObjectStore({ bucket, prefix, client: faultyConfig });
  // Where the server keeps its objects as files, the reader reads those.
  const root = directory === undefined ? undefined : `${directory}/${prefix}`;
  const reader = new TableReader(root === undefined ? store : localObjectStore({ root }), `${TABLE}/`, root);
  const saved = new Map<string, Uint8Array>();
  return {
    connector: (route) => connectorOf({ store: route === 'direct' ? store : faulty }, mode),
    rows: () => reader.rows(),
    faults: proxyFaults(proxy, { isCommit }),
    outage: proxyOutage(proxy),
    history: {
      async save() {
        saved.clear();
        for (const key of await keysOf(store)) {
          const found = await store.get(key);
          if (found !== undefined) saved.set(key, found.body);
        }
      },
      async restore() {
        await store.delete(await keysOf(store));
        for (const [key, body] of saved) await store.put(key, body);
      },
    },
    recreate: undefined,
    child: {
      module: CHILD,
      options: { place: { bucket, ...plainConfig(server) }, path: `${prefix}${TABLE}`, mode },
    },
    async close() {
      await reader.close();
      await faulty.close();
      client.destroy();
      await proxy.close();
    },
  };
}

function plainConfig({ region, accessKeyId, secretAccessKey, endpoint }: S3Server) {
  return {
    client: { region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey }, endpoint },
  };
}

async function keysOf(store: ObjectStore): Promise<string[]> {
  const keys: string[] = [];
  for await (const page of store.list()) keys.push(...page.map(({ key }) => key));
  return keys;
}
