/**
 * What members of a consumer group tell one another: Kafka's own texts (`ConsumerProtocolSubscription`, `ConsumerProtocolAssignment`,
 * version 0), so that its tools show them. They are older than flexible versions, and have lengths of fixed size.
 */

/** Numbers of partitions by topic. */
export type TopicPartitionMap = ReadonlyMap<string, readonly number[]>;

export function encodeSubscription(topics: readonly string[]): Buffer {
  return Buffer.concat([int16(0), int32(topics.length), ...topics.map(text), int32(0)]);
}

export function decodeSubscription(bytes: Buffer): string[] {
  const cursor = new Cursor(bytes);
  cursor.int16();
  return cursor.list(() => cursor.text());
}

export function encodeAssignment(assignment: TopicPartitionMap): Buffer {
  const topics = [...assignment].flatMap(([topic, partitions]) => [
    text(topic),
    int32(partitions.length),
    ...partitions.map(int32),
  ]);
  return Buffer.concat([int16(0), int32(assignment.size), ...topics, int32(0)]);
}

/** Nothing was assigned where there are no bytes. */
export function decodeAssignment(bytes: Buffer): TopicPartitionMap {
  if (bytes.length === 0) return new Map();
  const cursor = new Cursor(bytes);
  cursor.int16();
  return new Map(cursor.list(() => [cursor.text(), cursor.list(() => cursor.int32())] as const));
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([int16(bytes.length), bytes]);
}

/** Reads beyond the end throw RangeError, as Buffer does. */
class Cursor {
  #at = 0;

  constructor(private readonly bytes: Buffer) {}

  int16(): number {
    this.#at += 2;
    return this.bytes.readInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.bytes.readInt32BE(this.#at - 4);
  }

  text(): string {
    const length = this.int16();
    this.#at += length;
    if (this.#at > this.bytes.length) throw new RangeError(`a text of ${length} bytes is beyond the end`);
    return this.bytes.toString('utf8', this.#at - length, this.#at);
  }

  list<T>(entry: () => T): T[] {
    const count = this.int32();
    if (count > this.bytes.length) throw new RangeError(`a list of ${count} in ${this.bytes.length} bytes`);
    return Array.from({ length: Math.max(0, count) }, entry);
  }
}
