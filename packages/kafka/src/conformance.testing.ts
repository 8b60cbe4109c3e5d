/** The harness of the conformance suite: topics of its own for each test, on a broker that can be put back to an earlier state. */
import { randomBytes } from 'node:crypto';
import { isRetraction, type SinkConnector } from '@eos/core';
import {
  conformanceKey,
  conformanceSchema,
  proxyFaults,
  proxyOutage,
  type ConformanceRow,
  type Destination,
  type FoundRow,
} from '@eos/testkit';
import { deleteTopicsApi } from './broker-requests.testing.js';
import { API, hasRequest, type TestBroker } from './broker.testing.js';
import { openClient, type KafkaConnection } from './client/connect.js';
import { committedBatches } from './committed-records.testing.js';
import { debezium, json, kafkaSink } from './index.js';
import type { RecordFormat } from './encoding/format.js';

const CHILD = new URL('../testing/conformance-child.mjs', import.meta.url);
const PARTITIONS = 3;

export type Mode = 'append' | 'upsert' | 'retract';

/** The format of each mode. */
export function conformanceFormat(mode: Mode): RecordFormat<ConformanceRow, object> {
  const schema = conformanceSchema;
  if (mode === 'retract') return debezium({ schema });
  return json({ schema, mode, ...(mode === 'upsert' ? { key: conformanceKey } : {}) });
}

export async function kafkaDestination(
  broker: TestBroker,
  mode: Mode,
  driver: 'kafkajs' | 'platformatic' = 'kafkajs',
): Promise<Destination> {
  const name = `rows-${randomBytes(6).toString('hex')}`;
  const [topic, positions] = [name, `${name}-positions`];
  const client = await openClient({ brokers: [...broker.brokers] });
  const create = () =>
    client.admin.createTopic({ name: topic, partitions: PARTITIONS, replicationFactor: 1, config: {} });
  const remove = (...names: string[]) => client.cluster.request('any', deleteTopicsApi, names);
  await create();
  const options = (brokers: readonly string[]) => ({ driver, brokers: [...brokers], topic, positions, mode });
  return {
    connector: (route) => connector(options(route === 'direct' ? broker.brokers : broker.faultyBrokers)),
    rows: () => readRows(),
    faults: proxyFaults(broker.proxy, { isCommit: (chunk) => hasRequest(chunk, API.endTxn) }),
    outage: proxyOutage(broker.proxy),
    history: { save: () => broker.save(), restore: () => broker.restore() },
    recreate: async () => {
      await remove(topic);
      await create();
    },
    child: { module: CHILD, options: options(broker.brokers) },
    async close() {
      broker.proxy.accept();
      await remove(topic, positions);
      await client.close();
    },
  };

  async function readRows(): Promise<readonly FoundRow[]> {
    const { decoder, key } = conformanceFormat(mode);
    const found = new Map<string, FoundRow>();
    let count = 0;
    for (const [partition, batches] of await committedBatches(client, topic)) {
      const decoding = decoder?.({ topic, partition, name: `${topic}/${partition}` });
      for (const batch of batches) {
        const failure = await decoding?.decode(batch, 0, batch.records.count, { add });
        if (failure !== undefined) throw failure.error;
      }
    }
    return [...found.values()];

    function add(row: object, op: number): void {
      const text = key === undefined ? rowKey(row) : rowKey({ id: Reflect.get(row, 'id') as unknown });
      if (mode === 'append') found.set(String(count++), { ...row });
      else if (mode === 'upsert') {
        if (isRetraction(op)) found.delete(text);
        else found.set(text, { ...row });
      } else retract(text, row, op);
    }

    function retract(text: string, row: object, op: number): void {
      if (!isRetraction(op)) {
        found.set(`${text} ${count++}`, { ...row });
        return;
      }
      const copy = [...found.keys()].find((name) => name.startsWith(`${text} `));
      if (copy === undefined) throw new Error(`a row was taken back that is not there: ${text}`);
      found.delete(copy);
    }
  }
}

function rowKey(row: object): string {
  return JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
}

export interface ConnectorOptions {
  readonly driver: 'kafkajs' | 'platformatic';
  readonly brokers: string[];
  readonly topic: string;
  readonly positions: string;
  readonly mode: Mode;
}

function connector({
  driver,
  brokers,
  topic,
  positions,
  mode,
}: ConnectorOptions): SinkConnector<ConformanceRow> {
  const connection: KafkaConnection = { driver, brokers };
  return kafkaSink<ConformanceRow>({
    connection,
    topic,
    format: conformanceFormat(mode),
    positionsTopic: { name: positions, partitions: PARTITIONS },
  });
}
