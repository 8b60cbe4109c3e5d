/** Where records go: topic and partition of each. */
import { EosError, type PartitionId } from '@eos/core';
import type { BytesColumn, RecordColumns } from '../client/records.js';
import type { EncodedRecords } from '../encoding/format.js';
import { partitionsByFunction, partitionsByKey } from '../encoding/partitioner.js';
import type { Settings } from './options.js';
import type { Target, Targets } from './targets.js';

/** Records of one call, for one topic. */
export interface Routed<Row> extends EncodedRecords<Row> {
  readonly topic: string;
  readonly partitions: Int32Array | number;
}

/** Where the rows of a batch came from, for errors. */
export interface Origin<Row> {
  readonly partition: PartitionId;
  readonly rows: readonly Row[];
  readonly offsets?: BigInt64Array;
}

/** What a batch takes beside the bytes of its records, at most. */
const BATCH_OVERHEAD_BYTES = 128;

export class Router<Row> {
  /** Records without a key go to one partition for each call, in turn. */
  #turn = Math.floor(Math.random() * 1_000);

  constructor(
    private readonly settings: Pick<Settings<Row>, 'topics' | 'routeBy' | 'partitioner'>,
    private readonly targets: Targets,
  ) {}

  /** @throws EOS_ROW for a row that goes to no topic, or whose record is larger than its topic takes; EOS_CONFIG of the partitioner */
  route(encoded: EncodedRecords<Row>, origin: Origin<Row>): readonly Routed<Row>[] {
    if (encoded.records.count === 0) return [];
    this.#turn++;
    const { topics, routeBy } = this.settings;
    if (routeBy === undefined) return [this.#placed(topics[0], encoded, origin)];
    const indexes = new Map<string, number[]>();
    encoded.rows.forEach((row, index) => {
      const topic = routeBy(row);
      if (typeof topic !== 'string' || !this.targets.has(topic)) throw this.#noTopic(row, topic, origin);
      const list = indexes.get(topic);
      if (list === undefined) indexes.set(topic, [index]);
      else list.push(index);
    });
    return [...indexes].map(([topic, chosen]) => this.#placed(topic, pick(encoded, chosen), origin));
  }

  #placed(topic: string, encoded: EncodedRecords<Row>, origin: Origin<Row>): Routed<Row> {
    const { partitioner } = this.settings;
    const { records, rows } = encoded;
    const target = this.targets.get(topic);
    const count = target?.partitions ?? 1;
    checkSizes(topic, target, encoded, origin);
    const partitions =
      partitioner === undefined
        ? partitionsByKey(records.keys, records.count, count, this.#turn)
        : partitionsByFunction(partitioner, { keys: records.keys, rows }, topic, count);
    return { topic, partitions, records, rows };
  }

  #noTopic(row: Row, topic: unknown, origin: Origin<Row>): EosError {
    const shown = typeof topic === 'string' ? JSON.stringify(topic) : String(topic);
    return rowError(
      `the row goes to ${shown}, which is none of ${this.settings.topics.join(', ')}`,
      row,
      origin,
    );
  }
}

/** Only where it may be: nearly always the whole call is smaller than what one record may be. */
function checkSizes<Row>(
  topic: string,
  target: Target | undefined,
  { records, rows }: EncodedRecords<Row>,
  origin: Origin<Row>,
): void {
  const most = target?.maxMessageBytes;
  const { keys, values, headers, count } = records;
  const columns = [keys, values, headers].filter((column) => column !== undefined);
  const total = columns.reduce((sum, { bytes }) => sum + bytes.length, BATCH_OVERHEAD_BYTES);
  if (most === undefined || total <= most) return;
  for (let index = 0; index < count; index++) {
    const size = columns.reduce((sum, column) => sum + sizeAt(column, index), BATCH_OVERHEAD_BYTES);
    if (size <= most) continue;
    const message = `the row is ${size} bytes as a record, and topic ${topic} takes ${most} (max.message.bytes)`;
    const row = rows[index];
    if (row !== undefined) throw rowError(message, row, origin);
  }
}

function sizeAt({ starts, ends }: BytesColumn, index: number): number {
  return (ends[index] ?? 0) - (starts[index] ?? 0);
}

function rowError<Row>(message: string, row: Row, { partition, rows, offsets }: Origin<Row>): EosError {
  const offset = offsets?.[rows.indexOf(row)];
  const place = offset === undefined ? '' : `, offset ${offset}`;
  return new EosError('EOS_ROW', `partition ${partition}${place}: ${message}`, {
    details: { partition, offset },
  });
}

/** Some records of many: the bytes stay where they are. */
function pick<Row>({ records, rows }: EncodedRecords<Row>, indexes: readonly number[]): EncodedRecords<Row> {
  const { keys, values, headers, timestamp } = records;
  const picked: RecordColumns = {
    count: indexes.length,
    values: pickColumn(values, indexes),
    ...(keys === undefined ? {} : { keys: pickColumn(keys, indexes) }),
    ...(headers === undefined ? {} : { headers: pickColumn(headers, indexes) }),
    ...(timestamp === undefined ? {} : { timestamp }),
  };
  return { records: picked, rows: indexes.flatMap((index) => rows.slice(index, index + 1)) };
}

function pickColumn({ bytes, starts, ends, nulls }: BytesColumn, indexes: readonly number[]): BytesColumn {
  const column = {
    bytes,
    starts: Int32Array.from(indexes, (index) => starts[index] ?? 0),
    ends: Int32Array.from(indexes, (index) => ends[index] ?? 0),
  };
  return nulls === undefined
    ? column
    : { ...column, nulls: Uint8Array.from(indexes, (index) => nulls[index] ?? 0) };
}
