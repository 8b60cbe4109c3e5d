/** From options to a client. */
import type { KafkaConfig } from 'kafkajs';
import { kafkaAdmin } from './admin.js';
import type { KafkaClient, ProducerOptions } from './client.js';
import { Cluster } from './cluster.js';
import type { Driver } from './driver.js';
import { logReader } from './log-reader.js';
import type { PlatformaticConfig } from './platformatic/platformatic-driver.js';
import { initProducer } from './producer.js';

/** Which client library holds the connections, with all its own options for them: brokers, TLS, SASL, client id, timeouts. */
export type KafkaConnection =
  | ({ readonly driver?: 'kafkajs' } & KafkaConfig)
  | ({ readonly driver: 'platformatic' } & PlatformaticConfig);

/** How many connections to each broker the transactions of a client share: on one, they are dealt with one after the other. */
const PRODUCER_LANES = 4;
const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * Opens a client; it connects when it is first used.
 * @param timeoutMs how long all tries of one request may take together
 * @throws EOS_CONFIG where the driver's package is not there, or not of the right version
 */
export async function openClient(
  connection: KafkaConnection,
  timeoutMs = DEFAULT_TIMEOUT_MS,
): Promise<KafkaClient> {
  const cluster = new Cluster(await openDriver(connection), timeoutMs);
  let producers = 0;
  return {
    driver: cluster.driver,
    cluster,
    admin: kafkaAdmin(cluster),
    log: logReader(cluster),
    initProducer: (options: ProducerOptions) =>
      initProducer(cluster, options, `producer ${producers++ % PRODUCER_LANES}`),
    async close() {
      cluster.close();
    },
  };
}

async function openDriver(connection: KafkaConnection): Promise<Driver> {
  if (connection.driver === 'platformatic') {
    const { platformaticDriver } = await import('./platformatic/platformatic-driver.js');
    return await platformaticDriver(withoutDriver(connection));
  }
  const { kafkaJsDriver } = await import('./kafkajs/kafkajs-driver.js');
  return kafkaJsDriver(withoutDriver(connection));
}

/** The driver's own options: what it does not know it may refuse. */
function withoutDriver<T extends { readonly driver?: string }>(connection: T): Omit<T, 'driver'> {
  const options = { ...connection };
  Reflect.deleteProperty(options, 'driver');
  return options;
}
