/** The connector of the conformance tests in a process of its own, from what was built. */
import { debezium, json, kafkaSink } from '@eos/kafka';
import { conformanceKey, conformanceSchema as schema } from '@eos/testkit';

export function connector({ driver, brokers, topic, positions, mode }) {
  const format =
    mode === 'retract'
      ? debezium({ schema })
      : json({ schema, mode, ...(mode === 'upsert' ? { key: conformanceKey } : {}) });
  return kafkaSink({
    connection: { driver, brokers },
    topic,
    format,
    positionsTopic: { name: positions, partitions: 3 },
  });
}
