/** A broker of a test file's own: a proxy in front of a second address, and a state that can be put back. */
import { cp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort, startKafka, type KafkaOptions, type KafkaServer } from '@eos/services';
import { tcpProxy, type TcpProxy } from '@eos/testkit';

export interface TestBroker extends KafkaServer {
  /** Whoever connects here goes through the proxy, also where the brokers' metadata sends them. */
  readonly faultyBrokers: readonly string[];
  readonly proxy: TcpProxy;
  /** Keeps what is on disk; `restore` goes back to it, all topics and transactions, in about three seconds. */
  save(): Promise<void>;
  restore(): Promise<void>;
}

const SETTINGS = {
  // 10 MiB each unless set, and copied with every save.
  'log.index.size.max.bytes': 64 * 1024,
  'log.segment.delete.delay.ms': 1_000,
  // Records are on disk when they are acknowledged: what was saved is then all there.
  'transaction.max.timeout.ms': 900_000,
} as const;

/**
 * The proxy's address is what the broker tells clients of its second listener: a client asks for metadata wherever it was pointed to, and
 * connects where that sends it. No byte of the protocol has to be rewritten for it.
 */
export async function startTestBroker(options: KafkaOptions = {}): Promise<TestBroker> {
  const port = await freePort();
  const proxy = await tcpProxy({ host: '127.0.0.1', port });
  const listener = { name: 'FAULTY', port, advertisedPort: proxy.port };
  const server = await startKafka({
    ...options,
    settings: { ...SETTINGS, ...options.settings },
    listeners: [listener, ...(options.listeners ?? [])],
  });
  const data = join(server.directory, 'data');
  const saved = join(server.directory, 'saved');
  return {
    ...server,
    faultyBrokers: [`127.0.0.1:${proxy.port}`],
    proxy,
    async save() {
      await server.freeze();
      try {
        await rm(saved, { recursive: true, force: true });
        await cp(data, saved, { recursive: true });
      } finally {
        await server.thaw();
      }
    },
    async restore() {
      await server.kill();
      await rm(data, { recursive: true, force: true });
      await rename(saved, data);
      await server.start();
    },
    async stop() {
      await proxy.close();
      await server.stop();
    },
  };
}

/** Whether what a client sent at once holds a request with this API key. Source: kafka.apache.org/protocol, "Request Header". */
export function hasRequest(chunk: Buffer, apiKey: number): boolean {
  for (let at = 0; at + 6 <= chunk.length; at += 4 + chunk.readInt32BE(at)) {
    if (chunk.readInt16BE(at + 4) === apiKey) return true;
    if (chunk.readInt32BE(at) < 0) return false;
  }
  return false;
}

export const API = {
  produce: 0,
  initProducerId: 22,
  addPartitionsToTxn: 24,
  addOffsetsToTxn: 25,
  endTxn: 26,
  txnOffsetCommit: 28,
} as const;
