/** Strikes every HTTP request of a writer to a real server, in every way. */
import { randomUUID } from 'node:crypto';
import type { ObjectStore } from '@eos/object-store';
import { s3ObjectStore } from '@eos/object-store/s3';
import { describeWith, missingForS3, startS3 } from '@eos/services';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runStruck, type CrashCase } from './enumeration.testing.js';
import { BLOWS, type Interruption } from './interruption.testing.js';
import { interruptingProxy, type InterruptingProxy } from './interrupting-proxy.testing.js';

const program = 'versitygw';
const start = () => startS3({ program });

/** Of each case how many requests its struck call takes; a look at the log, four times a second, may come to it. */
export type CountedCase = readonly [name: string, requests: number, crashCase: CrashCase];

/** Declares the tests of these cases. */
export function strikeServer(cases: readonly CountedCase[]): void {
  const missing = missingForS3(program);
  describeWith({ describe, beforeAll, afterAll }, program, missing, start, (getServer) => {
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

    for (const [name, requests, crashCase] of cases) {
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
}
