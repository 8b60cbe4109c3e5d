/** A reader that shares nothing with this project: librdkafka, by Python's `confluent-kafka`, with `read_committed`. */
import { startPython } from '@eos/services';
import { keysOf } from './changes.js';

/** What was found in a topic of changes. */
export interface TopicCheck {
  readonly found: number;
  readonly lost: number;
  readonly duplicated: number;
  /** Keys whose changes are all there, and in another order. */
  readonly disordered: number;
}

/**
 * Reads each partition to the end that it has now, and compares the versions of each key, one after the other, with what they must be;
 * the function of the changes is written here once more, in another language.
 */
const SCRIPT = `
import json
from confluent_kafka import Consumer, TopicPartition, KafkaError

def expected(key, changes, keys):
    count = (changes - key + keys - 1) // keys
    return [None if (key + version) % 5 == 4 else version for version in range(count)]

def main(task):
    consumer = Consumer({
        'bootstrap.servers': task['brokers'], 'group.id': 'reader', 'isolation.level': 'read_committed',
        'enable.auto.commit': False, 'auto.offset.reset': 'earliest', 'enable.partition.eof': True,
    })
    topic, changes, keys = task['topic'], task['changes'], task['keys']
    partitions = list(consumer.list_topics(topic, timeout=30).topics[topic].partitions)
    consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
    versions = {}
    home = {}
    moved = 0
    ended = set()
    while len(ended) < len(partitions):
        message = consumer.poll(60)
        if message is None: raise Exception('the topic cannot be read to its end')
        if message.error():
            if message.error().code() == KafkaError._PARTITION_EOF:
                ended.add(message.partition())
                continue
            raise Exception(str(message.error()))
        key = int(message.key())
        value = message.value()
        if home.setdefault(key, message.partition()) != message.partition(): moved += 1
        versions.setdefault(key, []).append(None if value is None else json.loads(value)['version'])
    consumer.close()
    found = lost = duplicated = disordered = 0
    for key in set(range(keys)) | set(versions):
        want = expected(key, changes, keys) if key < keys else []
        have = versions.get(key, [])
        found += len(have)
        if have == want: continue
        missing = list(have)
        for version in want:
            if version in missing: missing.remove(version)
            else: lost += 1
        duplicated += len(missing)
        if len(have) == len(want) and not missing: disordered += 1
    return {'found': found, 'lost': lost, 'duplicated': duplicated, 'disordered': disordered + moved}
`;

export async function checkTopic(
  brokers: readonly string[],
  topic: string,
  changes: number,
): Promise<TopicCheck> {
  const python = await startPython(['confluent-kafka']);
  try {
    const input = { brokers: brokers.join(','), topic, changes, keys: keysOf(changes) };
    const answer = await python.run(SCRIPT, { input, timeoutMilliseconds: 600_000 });
    // Made by the script above.
    return answer as TopicCheck;
  } finally {
    await python.stop();
  }
}
