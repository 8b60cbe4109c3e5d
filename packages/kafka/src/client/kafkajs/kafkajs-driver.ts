import { Kafka, logLevel, type KafkaConfig } from 'kafkajs';
import { authenticationError } from '../client-error.js';
import type { BrokerAddress, BrokerLink, Driver, WireRequest } from '../driver.js';
import { kafkaJsInternals, type ConnectionPool, type KafkaJsInternals } from './internals.js';

const DEFAULT_REQUEST_TIMEOUT_MS = 30_000;

/** Connections of KafkaJS, by all options that its `Kafka` takes. */
export function kafkaJsDriver(config: KafkaConfig): Driver {
  const internals = kafkaJsInternals();
  // Every failure is thrown, and told once there.
  const logger = new Kafka({ logLevel: logLevel.NOTHING, ...config }).logger();
  const builder = internals.connectionPoolBuilder({
    connectionTimeout: 1_000,
    requestTimeout: DEFAULT_REQUEST_TIMEOUT_MS,
    ...config,
    logger,
    socketFactory: config.socketFactory ?? internals.defaultSocketFactory(),
  });
  const open = async (address?: BrokerAddress): Promise<BrokerLink> => {
    const pool = await builder.build(address);
    // Requests are sent at once: no limit to those in flight is set, and no throttling time is handed on.
    pool.map(({ requestQueue }) => {
      requestQueue.scheduleCheckPendingRequests = () => undefined;
    });
    const { authenticationTimeout } = config;
    const broker = new internals.Broker({
      connectionPool: pool,
      logger,
      ...(authenticationTimeout === undefined ? {} : { authenticationTimeout }),
    });
    try {
      await broker.connect();
    } catch (error) {
      closePool(pool);
      const isRefused = error instanceof Error && error.name === 'KafkaJSSASLAuthenticationError';
      throw isRefused ? authenticationError(error) : error;
    }
    return link(pool, internals);
  };
  return { name: 'kafkajs', connect: open, connectAny: () => open() };
}

function link(pool: ConnectionPool, { Encoder }: KafkaJsInternals): BrokerLink {
  let isClosed = false;
  const connecting = new Map<boolean, Promise<unknown>>();
  /** Of several requests at once only one may connect: KafkaJS would keep the last socket, and leave the others open for good. */
  const connected = async (apiKey: number): Promise<void> => {
    // Fetch has a connection of its own.
    const isFetch = apiKey === FETCH;
    const under = connecting.get(isFetch) ?? pool.getConnectionByRequest({ request: { apiKey } });
    connecting.set(isFetch, under);
    try {
      await under;
    } finally {
      connecting.delete(isFetch);
    }
  };
  const checkOpen = (): void => {
    if (!isClosed) return;
    // It may have been closed while it connected.
    closePool(pool);
    throw new Error('the connection was closed');
  };
  return {
    // KafkaJS connects again when it is asked to send.
    isOpen: () => !isClosed,
    async send({ name, key, version, body, timeoutMs }: WireRequest) {
      checkOpen();
      await connected(key);
      checkOpen();
      const sending = pool.send({
        request: {
          apiKey: key,
          apiVersion: version,
          apiName: name,
          // A flexible head has tagged fields behind what KafkaJS writes: none.
          encode: async () => new Encoder().writeBuffer(NO_TAGS).writeBuffer(body),
        },
        response: { decode: async (payload) => payload, parse: async (payload) => payload },
        requestTimeout: timeoutMs,
        logResponseError: false,
      });
      const answer = await sending.finally(() => {
        // What was under way when it was closed may have connected again.
        if (isClosed) closePool(pool);
      });
      if (!Buffer.isBuffer(answer)) throw new TypeError(`an answer to ${name} that is no bytes`);
      return answer;
    },
    close() {
      isClosed = true;
      closePool(pool);
    },
  };
}

const NO_TAGS = Buffer.of(0);
const FETCH = 1;

/** At once: KafkaJS would wait for answers that may never come. */
function closePool(pool: ConnectionPool): void {
  pool.map((connection) => {
    connection.rejectRequests(new Error('the connection was closed'));
    connection.socket?.destroy();
  });
  pool.destroy().catch(() => undefined);
}
