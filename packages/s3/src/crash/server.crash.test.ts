/** Every HTTP request of a claim and of a commit to a real server is struck, in every way. */
import { randomUUID } from 'node:crypto';
import type { ObjectStore } from '@eos/object-store';
import { s3ObjectStore } from '@eos/object-store/s3';
import { describeWith, missingForS3, startS3 } from '@eos/services';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runStruck, type CrashCase } from './enumeration.testing.js';
import { BLOWS, type Interruption } from './interruption.testing.js';
import { interruptingProxy, type InterruptingProxy } from './interrupting-proxy.testing.js';

const small = { rowBytes: 10, rowsPerFile: 5 };

/** With the requests that each takes; a look at the log, four times a second, may come to it. */
const CASES: readonly (readonly [name: string, requests: number, crashCase: CrashCase])[] = [
  // Next slot, claim.
  ['a claim', 2, { visibility: 'log', struck: 'recover', ...small }],
  // Two files, entry: files + 1.
  ['two files', 3, { visibility: 'log', struck: 'transaction', ...small }],
  // Begin, two parts, completion; entry: one less than parts + 3 × multipart files + 1.
  ['a file in parts', 5, { visibility: 'log', struck: 'transaction', rowBytes: 900_000, rowsPerFile: 10 }],
  // Next slot, the commit before, the uploads that there are, its two files; claim.
  ['a claim that finds a commit to complete', 6, { visibility: 'listing', struck: 'recover', ...small }],
  // Twice begin, part and completion; entry.
  ['two listed files', 7, { visibility: 'listing', struck: 'transaction', ...small }],
];

const program = 'versitygw';
const start = () => startS3({ program });
describeWith({ describe, beforeAll, afterAll }, program, missingForS3(program), start, (getServer) => {
  let proxy: InterruptingProxy;
  let troubled: ObjectStore;
  let direct: ObjectStore;
  beforeAll(async () => {
    const { endpoint, region, accessKeyId, secretAccessKey, bucket } = getServer();
    proxy = await interruptingProxy(endpoint);
    const client = { region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } };
    // One attempt: the client would find out itself what became of a request whose answer was lost.
    troubled = s3ObjectStore({ bucket, client: { ...client, endpoint: proxy.endpoint, maxAttempts: 1 } });
    direct = s3ObjectStore({ bucket, client: { ...client, endpoint } });
  });
  afterAll(async () => {
    await Promise.all([troubled.close(), direct.close(), proxy.close()]);
  });

  async function inPlace(crashCase: CrashCase, interruption?: Interruption): Promise<number> {
    const { interrupter } = proxy;
    interrupter.arm();
    const prefix = `${randomUUID()}/`;
    const place = {
      troubled: { store: troubled, prefix },
      direct: { store: direct, prefix },
      interrupter,
      store: direct,
      prefix,
      ended: (work: Promise<unknown>) => work,
    };
    try {
      return await runStruck(place, crashCase, interruption);
    } catch (cause) {
      const { blow = 'never', at = 0 } = interruption ?? {};
      throw new Error(`struck ${blow} request ${at}`, { cause });
    }
  }

  for (const [name, requests, crashCase] of CASES) {
    test(`${name}: ${requests} requests`, async () => {
      expect([requests, requests + 1]).toContain(await inPlace(crashCase));
    });

    for (const blow of BLOWS) {
      test(`${name}: struck ${blow} each of its requests`, async () => {
        for (let at = 1; at <= requests; at++) await inPlace(crashCase, { blow, at });
      });
    }
  }
});
