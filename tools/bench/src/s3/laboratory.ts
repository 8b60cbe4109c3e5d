/** What the cases of S3 share: a real server, clients that count what they send, and the files that travel. */
import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { startS3, type S3Server } from '@eos/services';
import { openDistance, type Distance } from '../distance.js';
import { isWanted, type BenchOptions } from '../options.js';

export interface S3Laboratory {
  readonly options: BenchOptions;
  readonly description: string;
  readonly wants: (name: string) => boolean;
  readonly server: S3Server;
  /** Through a proxy that makes the server as far as it is told. */
  readonly distance: Distance;
  /** What a client is made from, for a process of its own too. */
  readonly near: S3ClientConfig;
  readonly far: S3ClientConfig;
  /** A prefix that nothing lies below. */
  readonly freshPrefix: () => string;
  readonly settle: () => Promise<void>;
  readonly progress: (text: string) => void;
}

const SETTLE_MS = 200;

export async function withS3Laboratory(
  options: BenchOptions,
  progress: (text: string) => void,
  work: (laboratory: S3Laboratory) => Promise<void>,
): Promise<void> {
  const server = await startS3({ program: 'versitygw' });
  const distance = await openDistance(server.endpoint);
  const { endpoint, region, accessKeyId, secretAccessKey } = server;
  const near = { endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } };
  try {
    await work({
      options,
      description: `versitygw on local files; Node ${process.versions.node}; ${availableParallelism()} processors; medians of ${options.runs} runs`,
      wants: (name) => isWanted(options, name),
      server,
      distance,
      near,
      far: { ...near, endpoint: distance.url },
      freshPrefix: () => `bench/${randomUUID()}`,
      settle: async () => {
        await delay(options.quick ? 0 : SETTLE_MS);
      },
      progress,
    });
  } finally {
    await distance.close();
    await server.stop();
  }
}

export interface CountingClient {
  readonly client: S3Client;
  /** Requests that were sent so far, repeated ones too. */
  readonly count: () => number;
}

/** Counts next to the wire: below what the client repeats by itself. */
export function countingClient(config: S3ClientConfig): CountingClient {
  const client = new S3Client(config);
  let sent = 0;
  client.middlewareStack.add(
    (next) => async (request) => {
      sent++;
      return await next(request);
    },
    { step: 'deserialize', priority: 'low', name: 'benchCounting' },
  );
  return { client, count: () => sent };
}
