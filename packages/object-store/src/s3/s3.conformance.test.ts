import { randomUUID } from 'node:crypto';
import { describeWith, missingForS3, startS3, type S3Program } from '@eos/services';
import { proxyFaults, tcpProxy } from '@eos/testkit';
import { objectStoreConformance } from '@eos/testkit/object-store';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { probeObjectStore } from '../probe.js';
import { s3ObjectStore } from './s3-store.js';

const programs: readonly S3Program[] = ['versitygw', 'moto'];

for (const program of programs) {
  const start = () => startS3({ program });
  describeWith({ describe, beforeAll, afterAll }, program, missingForS3(program), start, (getServer) => {
    test('passes the probe', async () => {
      const { endpoint, region, accessKeyId, secretAccessKey, bucket } = getServer();
      const credentials = { accessKeyId, secretAccessKey };
      const store = s3ObjectStore({
        bucket,
        client: { endpoint, region, forcePathStyle: true, credentials },
      });
      await probeObjectStore(store);
      await store.close();
    });

    objectStoreConformance({
      describe,
      test,
      expect,
      name: program,
      reach: 'network',
      create: async () => {
        const { endpoint, region, accessKeyId, secretAccessKey, bucket } = getServer();
        const { hostname, port } = new URL(endpoint);
        const proxy = await tcpProxy({ host: hostname, port: Number(port) });
        const prefix = `${randomUUID()}/`;
        const client = { region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } };
        return {
          open: (route) => {
            const through = route === 'faulty' ? `http://127.0.0.1:${proxy.port}` : endpoint;
            return s3ObjectStore({
              bucket,
              prefix,
              client: { ...client, endpoint: through },
              partBytes: 5 * 2 ** 20,
            });
          },
          faults: proxyFaults(proxy),
          close: () => proxy.close(),
        };
      },
    });
  });
}
