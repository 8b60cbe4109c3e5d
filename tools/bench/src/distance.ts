/**
 * A server that is further away: the fault proxy of the test kit in a thread of its own, so that it neither waits for the program
 * that is measured nor takes from its thread.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { ProxyStatistics } from '@eos/testkit';
import { builtModule } from './built-module.js';
import type { ProxyRequest } from './children/proxy.js';

export interface Distance {
  /** The URL of the same database, through the proxy. */
  readonly url: string;
  setLatency(milliseconds: number): void;
  statistics(): Promise<ProxyStatistics>;
  close(): Promise<void>;
}

/** Puts a proxy in front of the server at `url`. */
export async function openDistance(url: string): Promise<Distance> {
  const { hostname, port } = new URL(url);
  const worker = new Worker(builtModule('children/proxy.js'), {
    workerData: { host: hostname, port: Number(port) },
  });
  const ask = async (request: ProxyRequest): Promise<unknown> => {
    const answer: Promise<unknown[]> = once(worker, 'message');
    worker.postMessage(request);
    return (await answer).at(0);
  };
  const ready: unknown = (await once(worker, 'message')).at(0);
  const near = new URL(url);
  near.port = String(ready);
  return {
    url: near.href,
    setLatency: (latencyMs) => worker.postMessage({ latencyMs } satisfies ProxyRequest),
    // The other side of this channel is our own module.
    statistics: async () => (await ask('statistics')) as ProxyStatistics,
    close: async () => {
      await worker.terminate();
    },
  };
}
