import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { Link, type LinkStatistics, type ProxyConnection } from './connection.js';
import { FaultList, type ArmedFault, type ProxyFault } from './faults.js';

export interface TcpProxyOptions {
  /** Host of the real server. */
  readonly host: string;
  /** Port of the real server. */
  readonly port: number;
  /** Round-trip time to simulate, in milliseconds, on top of the real one. Default 0. */
  readonly latencyMs?: number;
}

/** All that went over a proxy since it was started. */
export interface ProxyStatistics extends LinkStatistics {
  readonly acceptedConnections: number;
  readonly refusedConnections: number;
}

/** A TCP proxy on 127.0.0.1 that makes the network slow, silent or dead at a chosen moment. */
export interface TcpProxy {
  readonly host: '127.0.0.1';
  /** The port that clients connect to. */
  readonly port: number;
  /** The open connections, oldest first. */
  readonly connections: readonly ProxyConnection[];
  /**
   * Makes a fault strike the first chunk that fits, once. A chunk is what arrives at once: a client's flush, as a rule.
   * @example
   * // Let the server commit, and lose its answer:
   * const isCommit = (chunk: Buffer) => chunk.includes('COMMIT');
   * const fault = proxy.arm({ on: 'request', do: 'pass', when: isCommit, next: { on: 'answer', do: 'cut' } });
   */
  arm(fault: ProxyFault): ArmedFault;
  /** Changes the simulated round-trip time for chunks that arrive from now on. The TCP handshake itself is never slowed. */
  setLatency(milliseconds: number): void;
  /** From now on, new connections are reset as soon as they are made. */
  refuse(): void;
  /** Ends `refuse`. */
  accept(): void;
  /** Resets every open connection, on both sides. */
  cutAll(): void;
  statistics(): ProxyStatistics;
  /** Resets what is open and frees the port. */
  close(): Promise<void>;
}

/**
 * Starts a proxy in front of `host:port`. Without faults it costs one write per chunk that arrives, and no copy.
 * @throws RangeError for a latency that is negative or no number
 * @example
 * const proxy = await tcpProxy({ host: '127.0.0.1', port: 5432, latencyMs: 5 });
 * const client = new Client({ host: proxy.host, port: proxy.port });
 */
export async function tcpProxy(options: TcpProxyOptions): Promise<TcpProxy> {
  let latencyMs = checkLatency(options.latencyMs ?? 0);
  let isRefusing = false;
  const counts = { accepted: 0, refused: 0 };
  const ended = { requestBytes: 0, answerBytes: 0, roundTrips: 0 };
  const faults = new FaultList();
  const links = new Set<Link>();

  const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client: Socket) => {
    if (isRefusing) {
      counts.refused++;
      client.on('error', () => undefined);
      client.resetAndDestroy();
      return;
    }
    const { host, port } = options;
    const server = connect({ host, port, allowHalfOpen: true, noDelay: true });
    const link = new Link(
      ++counts.accepted,
      client,
      server,
      faults,
      () => latencyMs,
      () => {
        if (links.delete(link)) add(ended, link.statistics);
      },
    );
    links.add(link);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');

  const cutAll = () => {
    for (const link of [...links]) link.cut();
  };
  return {
    host: '127.0.0.1',
    // A TCP server that listens has an AddressInfo; a string is only for pipes.
    port: (listener.address() as AddressInfo).port,
    get connections() {
      return [...links];
    },
    arm: (fault) => faults.arm(fault),
    setLatency: (milliseconds) => void (latencyMs = checkLatency(milliseconds)),
    refuse: () => void (isRefusing = true),
    accept: () => void (isRefusing = false),
    cutAll,
    statistics: () => {
      const sum = { ...ended };
      for (const link of links) add(sum, link.statistics);
      return { ...sum, acceptedConnections: counts.accepted, refusedConnections: counts.refused };
    },
    close: async () => {
      const closed = listener.listening ? once(listener, 'close') : undefined;
      listener.close();
      cutAll();
      await closed;
    },
  };
}

function add(sum: { -readonly [Name in keyof LinkStatistics]: number }, more: LinkStatistics): void {
  sum.requestBytes += more.requestBytes;
  sum.answerBytes += more.answerBytes;
  sum.roundTrips += more.roundTrips;
}

function checkLatency(milliseconds: number): number {
  if (milliseconds >= 0 && Number.isFinite(milliseconds)) return milliseconds;
  throw new RangeError(`latencyMs must be a number of milliseconds from 0 up, not ${milliseconds}`);
}
