/** A real server, and a network to it that loses what is said: one for all tests of a file, which have a prefix each. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { ObjectStore } from '@eos/object-store';
import { s3ObjectStore } from '@eos/object-store/s3';
import { describeWith, missingForS3, startS3, type S3Program, type S3Service } from '@eos/services';
import { conformance, proxyFaults, proxyOutage, tcpProxy, type History } from '@eos/testkit';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  destinationIn,
  NOTICED_MS,
  variantName,
  type Laboratory,
  type Variant,
} from './conformance.testing.js';
import { isCommitBody } from './troubled-store.testing.js';

/** Declares the conformance suite for a real server. */
export function conformanceOnServer(program: S3Program, variants: readonly Variant[]): void {
  const start = () => startS3({ program });
  describeWith({ describe, beforeAll, afterAll }, program, missingForS3(program), start, (getServer) => {
    let server: ServerLaboratory;
    beforeAll(async () => {
      server = await serverLaboratory(getServer());
    });
    afterAll(() => server.close());
    for (const variant of variants) {
      conformance({
        describe,
        test,
        expect,
        name: `s3 in ${program}: ${variantName(variant)}`,
        create: async () => destinationIn(await server.laboratory(`${randomUUID()}/`), variant),
      });
    }
  });
}

interface ServerLaboratory {
  laboratory(prefix: string): Promise<Laboratory>;
  close(): Promise<void>;
}

async function serverLaboratory(service: S3Service): Promise<ServerLaboratory> {
  const { endpoint, region, accessKeyId, secretAccessKey, bucket } = service;
  const { hostname, port } = new URL(endpoint);
  const proxy = await tcpProxy({ host: hostname, port: Number(port) });
  const client = { region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } };
  const direct = s3ObjectStore({ bucket, client: { ...client, endpoint } });
  // One attempt: the client would find out itself what became of a request whose answer was lost.
  const faultyClient = { ...client, endpoint: `http://127.0.0.1:${proxy.port}`, maxAttempts: 1 };
  return {
    async laboratory(prefix) {
      proxy.accept();
      const faulty = s3ObjectStore({ bucket, client: faultyClient });
      return {
        options: { direct: { store: direct, prefix }, faulty: { store: faulty, prefix } },
        store: direct,
        prefix,
        faults: proxyFaults(proxy, { isCommit: isCommitBody }),
        outage: proxyOutage(proxy),
        history: objectHistory(direct, prefix),
        child: { bucket, client: { ...client, endpoint }, prefix },
        close: async () => {
          await faulty.close();
          proxy.cutAll();
        },
      };
    },
    async close() {
      await direct.close();
      await proxy.close();
    },
  };
}

/** A backup of the objects below a prefix. */
function objectHistory(store: ObjectStore, prefix: string): History {
  let saved = new Map<string, Uint8Array>();
  const keys = async () => {
    const found: string[] = [];
    for await (const page of store.list({ prefix })) found.push(...page.map(({ key }) => key));
    return found;
  };
  return {
    async save() {
      saved = new Map();
      for (const key of await keys()) {
        const object = await store.get(key);
        if (object !== undefined) saved.set(key, object.body);
      }
    },
    async restore() {
      await store.delete((await keys()).filter((key) => !saved.has(key)));
      for (const [key, body] of saved) await store.put(key, body);
      await delay(NOTICED_MS);
    },
  };
}
