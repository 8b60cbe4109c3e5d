import type { SingleProcess } from '../process/single-process.js';

/** What every Kafka offers to a test, also one that was already running. */
export interface KafkaService {
  /** Each `host:port`. */
  readonly brokers: readonly string[];
  /** Stops the broker and removes what it stored; does nothing to brokers that were already running. */
  stop(): Promise<void>;
}

/** A broker of one's own, that is controller and broker in one process: it may be killed, frozen and restarted. */
export interface KafkaServer extends KafkaService, SingleProcess {
  readonly version: string;
  /** The folder with the data, the configuration and the log. */
  readonly directory: string;
  readonly logFile: string;
}

/** Several brokers of one's own, which keep everything as often as there are of them. */
export interface KafkaCluster extends KafkaService {
  readonly nodes: readonly KafkaServer[];
}

/** Options of `startKafka`. */
export interface KafkaOptions {
  /** Apache Kafka's version. Default: that of `EOS_TEST_KAFKA_VERSION`, else 4.3.1; 4.1.2 and 3.9.2 work as well. */
  readonly version?: string;
  /** A port instead of any free one. */
  readonly port?: number;
  readonly listeners?: readonly KafkaListener[];
  /** Settings as in `server.properties`, besides or instead of those for one small broker. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
}

/** One more address of the broker, with a security of its own, or at which something else answers in front of it. */
export interface KafkaListener {
  /** Upper case. */
  readonly name: string;
  readonly port: number;
  /** Where clients that came by this listener are sent: a proxy's port, for example. Default `port`. */
  readonly advertisedPort?: number;
  /** Default PLAINTEXT. */
  readonly protocol?: 'PLAINTEXT' | 'SASL_PLAINTEXT' | 'SASL_SSL';
}
