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
  return {
    // KafkaJS connects again when it is asked to send.
    isOpen: () => true,
    async send({ name, key, version, body, timeoutMs }: WireRequest) {
      const answer = await pool.send({
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
      if (!Buffer.isBuffer(answer)) throw new TypeError(`an answer to ${name} that is no bytes`);
      return answer;
    },
    close: () => closePool(pool),
  };
}

const NO_TAGS = Buffer.of(0);

/** At once: KafkaJS would wait for answers that may never come. */
function closePool(pool: ConnectionPool): void {
  pool.map((connection) => {
    connection.rejectRequests(new Error('the connection was closed'));
    connection.socket?.destroy();
  });
  pool.destroy().catch(() => undefined);
}
