import { EosError, messageOf } from '@eos/core';
import type { Connection, ConnectionOptions, Reader, Writer } from '@platformatic/kafka';
import { authenticationError } from '../client-error.js';
import type { BrokerAddress, BrokerLink, Driver, WireRequest } from '../driver.js';

/** What `@platformatic/kafka` takes for its connections, beside where they go. */
export interface PlatformaticConfig extends Omit<
  ConnectionOptions,
  'ownerId' | 'context' | 'handleBackPressure'
> {
  /** Each `host:port`. */
  readonly brokers: readonly string[];
  readonly clientId?: string;
}

type Library = Pick<typeof import('@platformatic/kafka'), 'Connection' | 'Writer'>;

/**
 * Connections of `@platformatic/kafka`, which needs Node 22.22 or later.
 * @throws EOS_CONFIG where it is not installed, or this Node is too old for it
 */
export async function platformaticDriver({
  brokers,
  clientId,
  ...options
}: PlatformaticConfig): Promise<Driver> {
  const library = await load();
  const seeds = brokers.map(parseAddress);
  let next = 0;
  const connect = async ({ host, port }: BrokerAddress): Promise<BrokerLink> => {
    const connection = new library.Connection(clientId ?? 'eos', options);
    // Who waits for an answer is told; an error that nobody listens to would end the process.
    connection.on('error', () => undefined);
    try {
      await connection.connect(host, port);
    } catch (error) {
      const isRefused = error instanceof Error && 'code' in error && error.code === 'PLT_KFK_AUTHENTICATION';
      throw isRefused ? authenticationError(error) : withReason(error);
    }
    return link(connection, library);
  };
  return {
    name: '@platformatic/kafka',
    connect,
    async connectAny() {
      const seed = seeds[next++ % seeds.length];
      if (seed === undefined) throw new EosError('EOS_CONFIG', 'brokers must name at least one host:port');
      return await connect(seed);
    },
  };
}

/** The library says that a connection failed, and why only in the cause: a certificate, a name that is not known. */
function withReason(error: unknown): unknown {
  if (!(error instanceof Error) || error.cause === undefined) return error;
  return new Error(`${error.message.replace(/\.$/, '')}: ${messageOf(error.cause)}`, { cause: error });
}

async function load(): Promise<Library> {
  try {
    return await import('@platformatic/kafka');
  } catch (error) {
    const message =
      `driver 'platformatic' needs the package @platformatic/kafka, and Node 22.22 or later ` +
      `(this is ${process.version}): ${messageOf(error)}`;
    throw new EosError('EOS_CONFIG', message, { cause: error, details: { option: 'driver' } });
  }
}

function parseAddress(text: string): BrokerAddress {
  const [, host = '', port = ''] = /^(.+):(\d+)$/.exec(text) ?? [];
  if (host === '' || Number(port) > 65_535)
    throw new EosError('EOS_CONFIG', `a broker must be host:port, and is ${JSON.stringify(text)}`, {
      details: { option: 'brokers' },
    });
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}

function link(connection: Connection, { Writer: BodyWriter }: Library): BrokerLink {
  return {
    isOpen: () => connection.isConnected(),
    send: ({ key, version, body }: WireRequest) =>
      new Promise<Buffer>((resolve, reject) => {
        const payload = (): Writer => BodyWriter.create().append(body);
        // Of the head of the answer, the tagged fields are read here: they may be more than none.
        connection.send(key, version, payload, readAll, true, false, (error, answer) => {
          if (error !== null) reject(error);
          else resolve(answer ?? EMPTY);
        });
      }),
    close: () => void connection.close().catch(() => undefined),
  };
}

const EMPTY = Buffer.alloc(0);

function readAll(_correlation: number, _key: number, _version: number, { buffer, position }: Reader): Buffer {
  return Buffer.from(buffer.slice(position));
}
