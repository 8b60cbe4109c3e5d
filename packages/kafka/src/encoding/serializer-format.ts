/** Records by functions of the user: Avro, Protobuf or JSON Schema with a registry, or anything else. */
import {
  EosError,
  isEosError,
  messageOf,
  Op,
  rowError,
  shownValue,
  type ChangeBatch,
  type RowSchema,
} from '@eos/core';
import { bytesColumn, type BytesColumn, type LogBatch } from '../client/records.js';
import { recordAt, type RecordOutput } from './bytes-format.js';
import { appendPlanner, upsertPlanner, type ChangePlanner, type ChangeRecords } from './change-records.js';
import { configError } from './format-options.js';
import type {
  EncodedRecords,
  PoisonRecord,
  RecordDecoder,
  RecordFormat,
  RecordPlace,
  RowTarget,
} from './format.js';
import { headerColumn, type HeadersOption } from './record-headers.js';

/** The bytes of one row; `null`: none. */
type Bytes = Uint8Array | string | null;
/** Bytes for each row, in their order. Called once for a batch: for a registry, which answers later. */
type ForRows<Row> = (rows: readonly Row[]) => readonly Bytes[] | Promise<readonly Bytes[]>;

export interface SerializerOptions<In extends object, Out> {
  /**
   * `append` (default): a record for each insert. `upsert`: the last record of a key is its row; a delete is a tombstone, for which
   * only the key is serialized.
   */
  readonly mode?: 'append' | 'upsert';
  /** For `upsert`: the columns of the key. Rows with equal ones must get equal bytes of `serializeKeys`. */
  readonly key?: readonly string[];
  /** For `upsert`: types of the key columns, where different texts stand for the same value (uuid, decimal). */
  readonly schema?: RowSchema;
  /** The key of each row. Absent: records without a key. */
  readonly serializeKeys?: ForRows<In>;
  /** The value of each row. Needed in a sink. */
  readonly serializeValues?: ForRows<In>;
  /**
   * The row of each record; with `upsert`, a record without a value must give the columns of the key. Needed in a source. Called
   * once for a batch; where it fails, once for each record, to find the one at fault. Errors of the network are tried again.
   */
  readonly deserialize?: (records: readonly RecordOutput[]) => readonly Out[] | Promise<readonly Out[]>;
  readonly headers?: HeadersOption<In>;
}

/**
 * Records by functions of your own, a batch at a time.
 * @throws EOS_CONFIG
 */
export function serializer<In extends object, Out = In>(
  options: SerializerOptions<In, Out>,
): RecordFormat<In, Out> {
  const { mode = 'append', key, schema, serializeValues, serializeKeys, deserialize } = options;
  if (mode === 'upsert' && (key === undefined || key.length === 0)) {
    throw configError('key', `mode 'upsert' needs a key: the columns by which a row is replaced or deleted`);
  }
  if (mode === 'upsert' && serializeValues !== undefined && serializeKeys === undefined) {
    throw configError(
      'serializeKeys',
      `mode 'upsert' needs serializeKeys: a tombstone has nothing but a key`,
    );
  }
  const headers = headerColumn(options.headers);
  const isKeyed = mode === 'upsert' && key !== undefined;
  const planner = (): ChangePlanner<In> => (isKeyed ? upsertPlanner(key, schema) : appendPlanner());
  return {
    name: `serializer (${mode})`,
    changelog: mode,
    ...(isKeyed ? { key } : {}),
    ...(serializeValues === undefined
      ? {}
      : { encoder: () => () => encoderOf(planner(), serializeKeys, serializeValues, headers) }),
    ...(deserialize === undefined ? {} : { decoder: (place) => new BatchDecoder(deserialize, mode, place) }),
  };
}

function encoderOf<Row>(
  planner: ChangePlanner<Row>,
  serializeKeys: ForRows<Row> | undefined,
  serializeValues: ForRows<Row>,
  headers: ReturnType<typeof headerColumn<Row>>,
): {
  encode(batch: ChangeBatch<Row>): Promise<EncodedRecords<Row>>;
  finish(): Promise<EncodedRecords<Row>> | undefined;
} {
  const encode = async (changes: ChangeRecords<Row>): Promise<EncodedRecords<Row>> => {
    const { rows, tombstones } = changes;
    const keys =
      serializeKeys === undefined ? undefined : await column('serializeKeys', serializeKeys, changes);
    const values = await valuesOf(serializeValues, changes, tombstones);
    const headerBytes = headers(rows, changes);
    return {
      rows,
      records: {
        count: rows.length,
        ...(keys === undefined ? {} : { keys }),
        values,
        ...(headerBytes === undefined ? {} : { headers: headerBytes }),
      },
    };
  };
  return {
    encode: (batch) => encode(planner.plan(batch)),
    finish: () => {
      const rows = planner.finish().flatMap((part) => part.rows);
      if (rows.length === 0) return undefined;
      return encode({ partition: '', rows, tombstones: new Uint8Array(rows.length).fill(1) });
    },
  };
}

async function valuesOf<Row>(
  serialize: ForRows<Row>,
  changes: ChangeRecords<Row>,
  tombstones: Uint8Array | undefined,
): Promise<BytesColumn> {
  if (tombstones === undefined || !tombstones.includes(1))
    return column('serializeValues', serialize, changes);
  const rows = changes.rows.filter((_, index) => tombstones[index] !== 1);
  const made = rows.length === 0 ? [] : await called('serializeValues', serialize, { ...changes, rows });
  let at = 0;
  return bytesColumn(
    Array.from(tombstones, (isTombstone) => (isTombstone === 1 ? null : (made[at++] ?? null))),
  );
}

async function column<Row>(
  name: string,
  serialize: ForRows<Row>,
  changes: ChangeRecords<Row>,
): Promise<BytesColumn> {
  return bytesColumn(await called(name, serialize, changes));
}

async function called<Row>(
  name: string,
  serialize: ForRows<Row>,
  changes: ChangeRecords<Row>,
): Promise<readonly Bytes[]> {
  let made: readonly unknown[];
  try {
    made = await serialize(changes.rows);
  } catch (error) {
    if (isEosError(error)) throw error;
    const message = `partition ${changes.partition}: ${name} threw: ${messageOf(error)}`;
    throw new EosError('EOS_ROW', message, { cause: error, details: { partition: changes.partition } });
  }
  if (!Array.isArray(made) || made.length !== changes.rows.length) {
    throw configError(name, `${name} must return one entry for each of the ${changes.rows.length} rows`);
  }
  return made.map((value: unknown, index): Bytes => {
    if (value === null || typeof value === 'string' || value instanceof Uint8Array) return value;
    throw rowError(
      changes,
      index,
      `${name} returned ${shownValue(value)}, which is neither bytes nor text nor null`,
    );
  });
}

class BatchDecoder<Out, In extends object> implements RecordDecoder<Out> {
  constructor(
    private readonly deserialize: NonNullable<SerializerOptions<In, Out>['deserialize']>,
    private readonly mode: 'append' | 'upsert',
    private readonly place: RecordPlace,
  ) {}

  async decode(
    batch: LogBatch,
    from: number,
    to: number,
    target: RowTarget<Out>,
  ): Promise<PoisonRecord | undefined> {
    const base = Number(batch.baseOffset);
    const records: RecordOutput[] = [];
    for (let index = from; index < to; index++) {
      const offset = base + (batch.records.offsetDeltas[index] ?? 0);
      records.push(recordAt(batch.records, index, this.place, offset));
    }
    const rows = await this.#rows(records, batch, from);
    rows.made.forEach((row, at) => {
      const isTombstone = records[at]?.value === null;
      target.add(
        row,
        this.mode === 'append' ? Op.insert : isTombstone ? Op.delete : Op.updateAfter,
        from + at,
      );
    });
    return rows.poison;
  }

  async #rows(
    records: readonly RecordOutput[],
    batch: LogBatch,
    from: number,
  ): Promise<{ readonly made: readonly Out[]; readonly poison: PoisonRecord | undefined }> {
    try {
      return { made: await this.#called(records), poison: undefined };
    } catch (error) {
      this.#throwUnlessPoison(error);
    }
    // One of them is at fault.
    const made: Out[] = [];
    for (const [at, record] of records.entries()) {
      try {
        made.push(...(await this.#called([record])));
      } catch (error) {
        this.#throwUnlessPoison(error);
        const index = from + at;
        return { made, poison: { index, error: this.#poison(error, batch, index) } };
      }
    }
    return { made, poison: undefined };
  }

  async #called(records: readonly RecordOutput[]): Promise<readonly Out[]> {
    const made: readonly Out[] = await this.deserialize(records);
    if (made.length === records.length) return made;
    throw configError(
      'deserialize',
      `deserialize must return one row for each of the ${records.length} records`,
    );
  }

  /** A registry that cannot be reached says nothing about a record. */
  #throwUnlessPoison(error: unknown): void {
    if (isEosError(error) && error.code !== 'EOS_SOURCE_FORMAT') throw error;
    if (!isUnreachable(error)) return;
    const message = `partition ${this.place.name}: deserialize could not reach what it needs: ${messageOf(error)}`;
    throw new EosError('EOS_SOURCE_UNAVAILABLE', message, { cause: error, retryable: true });
  }

  #poison(error: unknown, batch: LogBatch, index: number): EosError {
    if (isEosError(error)) return error;
    const offset = batch.baseOffset + BigInt(batch.records.offsetDeltas[index] ?? 0);
    const message = `partition ${this.place.name}, offset ${offset.toString()}: deserialize threw: ${messageOf(error)}`;
    return new EosError('EOS_SOURCE_FORMAT', message, {
      cause: error,
      details: { partition: this.place.name, offset },
    });
  }
}

const NETWORK = /^(?:ECONN|ETIMEDOUT$|ENOTFOUND$|EAI_|EPIPE$|EHOSTUNREACH$|ENETUNREACH$|UND_ERR_)/;

/** Whether an error, or its cause as with `fetch`, is one of the network, or of a time that ran out. Told by its members: it may be of another realm. */
function isUnreachable(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const member = (key: string): unknown => Reflect.get(error, key);
  const [name, message, code, cause] = ['name', 'message', 'code', 'cause'].map(member);
  if (name === 'AbortError' || name === 'TimeoutError') return true;
  // What `fetch` throws where no answer came, whatever the cause.
  if (name === 'TypeError' && message === 'fetch failed') return true;
  return (typeof code === 'string' && NETWORK.test(code)) || isUnreachable(cause);
}
