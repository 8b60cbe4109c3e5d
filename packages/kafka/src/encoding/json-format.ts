/** Rows as JSON objects: append, or upsert by key. */
import {
  EosError,
  Op,
  schemaRows,
  type Columns,
  type InferRow,
  type NumberForms,
  type RowInput,
  type RowReader,
  type RowSchema,
} from '@eos/core';
import type { BytesColumn, LogRecords } from '../client/records.js';
import { appendPlanner, upsertPlanner, type ChangePlanner, type ChangeRecords } from './change-records.js';
import { checkKey } from './format-options.js';
import type { EncodedRecords, RecordDecoder, RecordEncoder, RecordFormat, RecordPlace } from './format.js';
import { keyReader, type KeyForm } from './json-keys.js';
import { keyText, objectText, type RowText } from './json-rows.js';
import { decodeEach, placeOf, textAt } from './records-read.js';
import { headerColumn, type HeadersOption } from './record-headers.js';
import { TextColumn } from './text-column.js';

export interface JsonOptions<C extends Columns> extends NumberForms {
  readonly schema: RowSchema<C>;
  /**
   * `append` (default): each record is an insert. `upsert`: the last record of a key is its row, and a record without a value (a
   * tombstone) deletes it.
   */
  readonly mode?: 'append' | 'upsert';
  /** Columns whose value is the key of the record. Needed for `upsert`; with `append` it only chooses the partition. */
  readonly key?: readonly string[];
  /**
   * `json` (default): the key is an object with the key columns, as Debezium writes it. `text`: the bare value of a key of one
   * column, as most producers write it.
   */
  readonly keyForm?: KeyForm;
  /** Headers of every record, or a function that makes them of a row. */
  readonly headers?: HeadersOption<RowInput<RowSchema<C>>>;
}

/**
 * Rows as JSON objects, null columns as null. What is written is read back to the same row; see {@link NumberForms} for numbers that
 * other readers might round.
 * @throws EOS_CONFIG
 * @example
 * json({ schema: rowSchema({ id: t.int64(), price: t.decimal(12, 2) }), mode: 'upsert', key: ['id'] })
 */
export function json<C extends Columns>(
  options: JsonOptions<C>,
): RecordFormat<RowInput<RowSchema<C>>, InferRow<RowSchema<C>>> {
  const { schema, mode = 'append', key, keyForm = 'json', headers } = options;
  checkKey(schema, key, mode === 'upsert');
  const value = objectText(schema, options);
  const keyOf = key === undefined ? undefined : keyText(schema, key, keyForm, options);
  const makeHeaders = headerColumn(headers);
  const rows = schemaRows(schema, { op: undefined, changelog: mode });
  return {
    name: `json (${mode})`,
    changelog: mode,
    ...(mode === 'upsert' && key !== undefined ? { key } : {}),
    encoder: () => () => {
      const planner =
        mode === 'upsert' && key !== undefined
          ? upsertPlanner<RowInput<RowSchema<C>> & object>(key, schema)
          : appendPlanner<RowInput<RowSchema<C>>>();
      return new JsonEncoder(planner, keyOf, value, makeHeaders);
    },
    decoder: (place) =>
      mode === 'append'
        ? appendDecoder(rows, place)
        : upsertDecoder(rows, keyReader(schema, key ?? [], keyForm), place),
  };
}

class JsonEncoder<Row> implements RecordEncoder<Row> {
  constructor(
    private readonly planner: ChangePlanner<Row>,
    private readonly key: RowText | undefined,
    private readonly value: RowText,
    private readonly headers: ReturnType<typeof headerColumn<Row>>,
  ) {}

  encode(batch: Parameters<ChangePlanner<Row>['plan']>[0]): EncodedRecords<Row> {
    return this.#encode(this.planner.plan(batch));
  }

  finish(): EncodedRecords<Row> | undefined {
    const rest = this.planner.finish();
    if (rest.length === 0) return undefined;
    const rows = rest.flatMap((part) => part.rows);
    return this.#encode({ partition: '', rows, tombstones: new Uint8Array(rows.length).fill(1) });
  }

  #encode(changes: ChangeRecords<Row>): EncodedRecords<Row> {
    const { rows } = changes;
    const keys = this.key === undefined ? undefined : textColumn(changes, this.key);
    const headers = this.headers(rows, changes);
    const values = textColumn(changes, this.value, changes.tombstones);
    return {
      rows,
      records: {
        count: rows.length,
        ...(keys === undefined ? {} : { keys }),
        values,
        ...(headers === undefined ? {} : { headers }),
      },
    };
  }
}

/** The text of every row; null where `nulls` says so. */
export function textColumn(
  changes: ChangeRecords<unknown>,
  textOf: RowText,
  nulls?: Uint8Array,
): BytesColumn {
  const column = new TextColumn();
  const { rows } = changes;
  for (let index = 0; index < rows.length; index++) {
    if (nulls !== undefined && nulls[index] === 1) column.addNull();
    else column.add(textOf(rows[index], index, changes));
  }
  return column.build();
}

function appendDecoder<Row>(rows: RowReader<Row>, at: RecordPlace): RecordDecoder<Row> {
  const place = placeOf(at);
  return {
    decode: (batch, from, to, target) =>
      decodeEach(batch, from, to, place, (records: LogRecords, index) => {
        const text = textAt(records.values, index);
        if (text === undefined) throw noValue(at, place.offset);
        target.add(rows.row(rows.parse(text, place), Op.insert, place), Op.insert, index);
      }),
  };
}

function noValue(at: RecordPlace, offset: number): EosError {
  const message = `partition ${at.name}, offset ${offset}: a record without a value is a tombstone; read it with mode: 'upsert'`;
  return new EosError('EOS_SOURCE_FORMAT', message, {
    details: { partition: at.name, offset: BigInt(offset) },
  });
}

/** A tombstone gives a row with the columns of the key, which a delete is known by; the others are null. */
function upsertDecoder<Row>(
  rows: RowReader<Row>,
  keyOf: ReturnType<typeof keyReader>,
  at: RecordPlace,
): RecordDecoder<Row> {
  const place = placeOf(at);
  return {
    decode: (batch, from, to, target) =>
      decodeEach(batch, from, to, place, (records, index) => {
        const text = textAt(records.values, index);
        if (text === undefined) {
          const key = keyOf(textAt(records.keys, index), place);
          target.add(rows.row(key, Op.delete, place), Op.delete, index);
        } else {
          target.add(rows.row(rows.parse(text, place), Op.updateAfter, place), Op.updateAfter, index);
        }
      }),
  };
}
