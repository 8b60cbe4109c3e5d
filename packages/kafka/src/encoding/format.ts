/** What a format of records is: how changes become records, and records become changes. */
import type { ChangeBatch, ChangelogMode, EosError, SinkContext } from '@eos/core';
import type { LogBatch, RecordColumns } from '../client/records.js';

/** What is known of every format. */
interface FormatDescription {
  /** For messages. */
  readonly name: string;
  /** Which changes it can hold, and which ones reading it gives. */
  readonly changelog: ChangelogMode;
  /** With `upsert`: the columns of the key. */
  readonly key?: readonly string[];
}

/** A format that sources can read. */
export interface ReadableFormat<out Row> extends FormatDescription {
  /** One for each partition; absent: the format cannot be read. */
  readonly decoder?: (place: RecordPlace) => RecordDecoder<Row>;
}

/**
 * A format of records, for sinks, sources or both: `json(…)`, `debezium(…)`, `bytes()`, `serializer(…)`.
 * `In` is a row as a sink takes it, `Out` a row as a source hands it out.
 */
export interface RecordFormat<in out In, out Out = unknown> extends ReadableFormat<Out> {
  /** Absent: the format cannot be written. What it returns makes the encoder of each transaction. */
  readonly encoder?: (context: SinkContext) => () => RecordEncoder<In>;
}

/** Records made of changes. */
export interface EncodedRecords<out Row> {
  readonly records: RecordColumns;
  /** The row that each record was made of. */
  readonly rows: readonly Row[];
}

/**
 * Makes records of the changes of one transaction. Holds no more than one row of each source partition between two calls: the first
 * half of an update, whose record depends on the second.
 */
export interface RecordEncoder<in out Row> {
  /** @throws EOS_ROW with partition, offset and column, where a row does not fit */
  encode(batch: ChangeBatch<Row>): EncodedRecords<Row> | Promise<EncodedRecords<Row>>;
  /** The records of first halves whose second never came; undefined: none. To be called before a transaction is prepared. */
  finish(): EncodedRecords<Row> | Promise<EncodedRecords<Row>> | undefined;
}

/** Where reading is at, for errors; `offset` is moved on by the decoder. */
export interface RecordPlace {
  readonly topic: string;
  readonly partition: number;
  /** `<topic>/<number>` */
  readonly name: string;
}

/** Takes the rows of decoded records. */
export interface RowTarget<in Row> {
  /** A row of record `index` of the batch at hand. */
  add(row: Row, op: number, index: number): void;
}

/** A record that cannot be read, with its index in the batch. */
export interface PoisonRecord {
  readonly index: number;
  readonly error: EosError;
}

/** Makes rows of records. */
export interface RecordDecoder<out Row> {
  /**
   * Adds the rows of records `from` … `to - 1`. Stops at the first record that cannot be read and returns it: the rows of those before
   * it were added, none of its own. It is asked again behind it where such records are skipped.
   */
  decode(
    batch: LogBatch,
    from: number,
    to: number,
    target: RowTarget<Row>,
  ): PoisonRecord | undefined | Promise<PoisonRecord | undefined>;
}
