import type { KafkaListener } from './types.js';

/** Where one broker listens and stores. */
export interface BrokerLayout {
  readonly nodeId: number;
  readonly voters: readonly { readonly nodeId: number; readonly controllerPort: number }[];
  readonly port: number;
  readonly controllerPort: number;
  readonly logDirectory: string;
  readonly listeners: readonly KafkaListener[];
}

/** `server.properties` of one process that is controller and broker. */
export function serverProperties(
  { nodeId, voters, port, controllerPort, logDirectory, listeners }: BrokerLayout,
  further: Readonly<Record<string, string | number | boolean>>,
): string {
  const main: KafkaListener = { name: 'PLAINTEXT', port };
  const all = [main, ...listeners];
  const addresses = (portOf: (listener: KafkaListener) => number) =>
    all.map((listener) => `${listener.name}://127.0.0.1:${portOf(listener)}`).join(',');
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': nodeId,
    'controller.quorum.voters': voters
      .map((voter) => `${voter.nodeId}@127.0.0.1:${voter.controllerPort}`)
      .join(','),
    'controller.listener.names': 'CONTROLLER',
    listeners: `${addresses((listener) => listener.port)},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': addresses((listener) => listener.advertisedPort ?? listener.port),
    'inter.broker.listener.name': main.name,
    'listener.security.protocol.map': [
      ...all.map(({ name, protocol = 'PLAINTEXT' }) => `${name}:${protocol}`),
      'CONTROLLER:PLAINTEXT',
    ].join(','),
    'log.dirs': logDirectory,
    // One broker cannot keep the usual three copies of Kafka's own topics, and few partitions make a quick start.
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 5,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 5,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    'auto.create.topics.enable': false,
    // A killed broker is let in again when its old session has ended: 3.5 s instead of 12 s.
    'broker.session.timeout.ms': 1500,
    'broker.heartbeat.interval.ms': 300,
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': 1000,
    ...further,
  };
  // A backslash, as in a Windows path, begins an escape in this format.
  const escape = (value: string): string => value.replaceAll('\\', '\\\\');
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${escape(String(value))}\n`)
    .join('');
}
