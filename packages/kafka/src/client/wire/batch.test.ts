/** What is written is held against another implementation of the format, that of KafkaJS, and the other way round. */
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decodeHeaders, encodeHeaders } from '../headers.js';
import { bytesAt, bytesColumn, packedColumn, type RecordColumns } from '../records.js';
import { BatchBuilder } from './batch-builder.js';
import { FIELD } from './batch-format.js';
import { readBatches } from './batch-reader.js';
import { splitBatch } from './batch-split.js';
import { compressBatch } from './compression.js';
import { crc32c } from './crc32c.js';

interface OtherRecord {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer>>;
}

interface OtherBatch {
  readonly lastOffsetDelta: number;
  readonly producerId: string;
  readonly producerEpoch: number;
  readonly firstSequence: number;
  readonly inTransaction: boolean;
  readonly records: readonly OtherRecord[];
}

const load = createRequire(import.meta.url);
const kafkaJs = 'kafkajs/src/protocol';
const OtherDecoder = load(`${kafkaJs}/decoder.js`) as new (bytes: Buffer) => object;
const decodeOther = load(`${kafkaJs}/recordBatch/v0/decoder.js`) as (decoder: object) => Promise<OtherBatch>;
const { RecordBatch: encodeOther } = load(`${kafkaJs}/recordBatch/v0/index.js`) as {
  RecordBatch: (batch: object) => Promise<{ readonly buffer: Buffer }>;
};
const encodeOtherRecord = load(`${kafkaJs}/recordBatch/record/v0/index.js`) as (record: object) => object;

const PRODUCER = { producerId: 2n ** 62n, epoch: 32_767, baseSequence: 2 ** 31 - 2 };
const START = 1_700_000_000_000;

const anyBytes = fc.option(fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)));
const anyRecord = fc.record({
  key: anyBytes,
  value: anyBytes,
  later: fc.integer({ min: 0, max: 2 ** 40 }),
  headers: fc.dictionary(fc.stringMatching(/^[a-zä]{1,9}$/), fc.string({ maxLength: 80 }), { maxKeys: 3 }),
});
const anyRecords = fc.array(anyRecord, { minLength: 1, maxLength: 40 });

function columnsOf(
  records: readonly { key: Buffer | null; value: Buffer | null; headers?: object }[],
): RecordColumns {
  return {
    count: records.length,
    keys: bytesColumn(records.map(({ key }) => key)),
    values: bytesColumn(records.map(({ value }) => value)),
    headers: bytesColumn(
      records.map(({ headers = {} }) =>
        encodeHeaders(Object.entries(headers).map(([name, value]) => [name, Buffer.from(String(value))])),
      ),
    ),
  };
}

function build(columns: RecordColumns, timestamps: readonly number[]): Buffer {
  const builder = new BatchBuilder(1);
  for (let index = 0; index < columns.count; index++)
    builder.append(columns, index, timestamps[index] ?? START);
  return Buffer.from(builder.finish(PRODUCER));
}

describe('record batches', () => {
  test('what is written is read by KafkaJS', async () => {
    await fc.assert(
      fc.asyncProperty(anyRecords, async (records) => {
        const bytes = build(
          columnsOf(records),
          records.map(({ later }) => START + later),
        );
        const read = await decodeOther(new OtherDecoder(bytes));
        expect(read).toMatchObject({
          lastOffsetDelta: records.length - 1,
          producerId: String(PRODUCER.producerId),
          producerEpoch: PRODUCER.epoch,
          firstSequence: PRODUCER.baseSequence,
          inTransaction: true,
        });
        const first = START + (records[0]?.later ?? 0);
        expect(
          read.records.map(({ offset, timestamp, key, value, headers }) => ({
            offset,
            timestamp,
            key,
            value,
            headers,
          })),
        ).toEqual(
          records.map(({ key, value, later, headers }, index) => ({
            offset: String(index),
            timestamp: String(START + later),
            key,
            value,
            headers: Object.fromEntries(
              Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)]),
            ),
          })),
        );
        expect(first).toBeGreaterThanOrEqual(START);
      }),
      { numRuns: 100 },
    );
  });

  test('what KafkaJS writes is read', async () => {
    await fc.assert(
      fc.asyncProperty(anyRecords, async (records) => {
        const encoded = records.map(({ key, value, later, headers }, offsetDelta) =>
          encodeOtherRecord({ key, value, headers, offsetDelta, timestampDelta: later }),
        );
        const { buffer } = await encodeOther({
          firstTimestamp: START,
          lastOffsetDelta: records.length - 1,
          producerId: '77',
          producerEpoch: 3,
          transactional: true,
          records: encoded,
        });
        const [batch, ...others] = readBatches(buffer);
        expect(others).toEqual([]);
        expect(batch).toMatchObject({
          producerId: 77n,
          producerEpoch: 3,
          isTransactional: true,
          control: undefined,
        });
        const read = batch?.records;
        if (read === undefined) throw new Error('nothing was read');
        expect(
          Array.from({ length: read.count }, (_, index) => ({
            offset: read.offsetDeltas[index],
            timestamp: read.timestamps[index],
            key: bytesAt(read.keys, index),
            value: bytesAt(read.values, index),
            headers: decodeHeaders(bytesAt(read.headers, index) ?? Buffer.alloc(0)).map(([name, bytes]) => [
              name,
              String(bytes),
            ]),
          })),
        ).toEqual(
          records.map(({ key, value, later, headers }, index) => ({
            offset: index,
            timestamp: START + later,
            key,
            value,
            headers: Object.entries(headers),
          })),
        );
      }),
      { numRuns: 100 },
    );
  });

  test('a builder that is reset begins anew', () => {
    const builder = new BatchBuilder();
    const columns = { count: 2, values: bytesColumn(['a', 'b']) };
    builder.append(columns, 0, START);
    builder.append(columns, 1, START + 5);
    builder.finish(PRODUCER);
    builder.reset();
    builder.append(columns, 1, START + 9);
    expect(builder.count).toBe(1);
    expect(
      builder.finish(PRODUCER).equals(build({ count: 1, values: bytesColumn(['b']) }, [START + 9])),
    ).toBe(true);
  });

  test('a batch is split in two with the same records', () => {
    const values = Array.from({ length: 7 }, (_, index) => `value ${index}`);
    const halves = splitBatch(build({ count: 7, values: bytesColumn(values) }, []));
    const read = halves.flatMap((half) => {
      const [batch] = readBatches(half.finish(PRODUCER));
      return Array.from({ length: batch?.records.count ?? 0 }, (_, index) =>
        String(bytesAt(batch?.records.values ?? bytesColumn([]), index)),
      );
    });
    expect({ counts: halves.map(({ count }) => count), read }).toEqual({ counts: [3, 4], read: values });
  });

  test('a part of a batch at the end is left out', () => {
    const whole = build({ count: 1, values: bytesColumn(['whole']) }, []);
    for (let cut = 1; cut < whole.length; cut += 7)
      expect(readBatches(Buffer.concat([whole, whole.subarray(0, whole.length - cut)]))).toHaveLength(1);
    expect(readBatches(Buffer.concat([whole, whole]))).toHaveLength(2);
  });

  test('no damage gets through: each byte that the checksum covers, turned', () => {
    const whole = build({ count: 2, keys: bytesColumn(['k', null]), values: bytesColumn(['v', 'w']) }, []);
    for (let at = FIELD.checksum; at < whole.length; at++) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      expect(() => readBatches(damaged)).toThrow(/does not match its checksum/);
    }
  });

  test('lengths that are too large for their batch are no reason to read beyond it', () => {
    const whole = build({ count: 1, values: bytesColumn(['v']) }, []);
    const longer = Buffer.from(whole);
    longer.writeUInt8(0x7e, FIELD.records);
    longer.writeUInt32BE(crc32c(longer, FIELD.attributes), FIELD.checksum);
    expect(() => readBatches(longer)).toThrow(/longer than its batch/);
    const more = Buffer.from(whole);
    more.writeInt32BE(1_000_000, FIELD.count);
    more.writeUInt32BE(crc32c(more, FIELD.attributes), FIELD.checksum);
    expect(() => readBatches(more)).toThrow(/a record batch of 1000000 records/);
    const negative = Buffer.from(whole);
    negative.writeInt32BE(-60, FIELD.length);
    expect(() => readBatches(negative)).toThrow(/a record batch of -48 bytes/);
  });

  test('what is compressed is read, or the codec that is missing named', () => {
    const plain = build({ count: 3, values: bytesColumn(['aaa', 'bbb', null]) }, []);
    const compressed = (codec: number) => {
      const head = Buffer.from(plain.subarray(0, FIELD.records));
      const packed = Buffer.concat([head, gzipSync(plain.subarray(FIELD.records))]);
      packed.writeInt16BE(codec, FIELD.attributes);
      packed.writeInt32BE(packed.length - FIELD.leaderEpoch, FIELD.length);
      packed.writeUInt32BE(crc32c(packed, FIELD.attributes), FIELD.checksum);
      return packed;
    };
    const [batch] = readBatches(compressed(1));
    expect(batch?.records.values.nulls).toEqual(Uint8Array.of(0, 0, 1));
    expect(String(bytesAt(batch?.records.values ?? bytesColumn([]), 1))).toBe('bbb');
    expect(() => readBatches(compressed(2))).toThrow(/compressed by snappy.*registerCodec/);
    expect(() => readBatches(compressed(7))).toThrow(/codec 7/);
  });
});

describe('a batch that is compressed', () => {
  const text = 'the same again and again, '.repeat(40);
  const columns = { count: 3, keys: bytesColumn(['a', null, 'c']), values: bytesColumn([text, null, text]) };

  test('is smaller, and read by KafkaJS and by this reader as it was', async () => {
    const plain = build(columns, [START, START + 1, START + 2]);
    const packed = await compressBatch(plain, 'gzip');
    expect(packed.length).toBeLessThan(plain.length / 5);
    expect(readBatches(packed)).toMatchObject([{ ...readBatches(plain)[0], size: packed.length }]);
    const other = await decodeOther(new OtherDecoder(packed));
    expect(other).toMatchObject({ firstSequence: PRODUCER.baseSequence, inTransaction: true });
    expect(other.records.map(({ value }) => value?.toString())).toEqual([text, undefined, text]);
  });

  test('stays as it is where it would not be smaller', async () => {
    const plain = build({ count: 1, values: bytesColumn(['v']) }, []);
    expect((await compressBatch(plain, 'gzip')).equals(plain)).toBe(true);
  });

  test('can be split', async () => {
    const packed = await compressBatch(build(columns, []), 'gzip');
    expect(splitBatch(packed).map(({ count }) => count)).toEqual([1, 2]);
  });
});

describe('crc32c', () => {
  test.each([
    ['', 0],
    ['123456789', 0xe3069283],
    ['The quick brown fox jumps over the lazy dog', 0x22620404],
  ])('of %j', (text, expected) => {
    expect(crc32c(Buffer.from(text))).toBe(expected);
  });

  test('is the same wherever the bytes lie', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(9), (bytes, before) => {
        const moved = Buffer.concat([Buffer.alloc(before, 7), bytes, Buffer.alloc(3, 9)]);
        expect(crc32c(moved, before, before + bytes.length)).toBe(crc32c(Buffer.from(bytes)));
      }),
    );
  });
});

test('columns hold values side by side, nulls apart from what is empty', () => {
  const column = bytesColumn(['a', '', null, Buffer.from('ä')]);
  expect([0, 1, 2, 3].map((index) => bytesAt(column, index)?.toString())).toEqual(['a', '', undefined, 'ä']);
  const packed = packedColumn(Buffer.from('abc'), Int32Array.of(0, 1, 3));
  expect([0, 1].map((index) => String(bytesAt(packed, index)))).toEqual(['a', 'bc']);
});
