import { freePort } from '../process/free-port.js';
import { newClusterId, startNode } from './server.js';
import type { KafkaCluster, KafkaOptions } from './types.js';

/** What is kept three times may lose one broker and go on. */
const REPLICATED = {
  'default.replication.factor': 3,
  'min.insync.replicas': 2,
  'offsets.topic.replication.factor': 3,
  'transaction.state.log.replication.factor': 3,
  'transaction.state.log.min.isr': 2,
  // Leaders go back to where they were soon after a broker has come back.
  'leader.imbalance.check.interval.seconds': 2,
};

const NODES = 3;

/**
 * Starts a cluster of three processes, each of them controller and broker, which keep everything three times: one may be away, and who
 * leads and coordinates then is another.
 *
 * @example
 * const cluster = await startKafkaCluster();
 * await cluster.nodes[1]?.restart();
 */
export async function startKafkaCluster(options: Omit<KafkaOptions, 'port'> = {}): Promise<KafkaCluster> {
  const cluster = newClusterId();
  const voters = await Promise.all(
    Array.from({ length: NODES }, async (_, index) => ({
      nodeId: index + 1,
      controllerPort: await freePort(),
    })),
  );
  const settings = { ...REPLICATED, ...options.settings };
  const started = await Promise.allSettled(
    voters.map((voter) => startNode({ ...options, settings }, { ...voter, cluster, voters })),
  );
  const nodes = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  for (const result of started) {
    if (result.status === 'fulfilled') continue;
    await stop();
    throw result.reason;
  }
  return { nodes, brokers: nodes.flatMap((node) => node.brokers), stop };
}
