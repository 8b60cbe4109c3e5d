import {
  formatError,
  Op,
  schemaRows,
  type Columns,
  type InferRow,
  type Place,
  type RowReader,
  type RowSchema,
} from '@eos/core';
import type { LogRecords } from '../client/records.js';
import type { RecordDecoder, RecordPlace, RowTarget } from './format.js';
import { keyReader, type KeyForm } from './json-keys.js';
import { memberTexts } from './json-members.js';
import { decodeEach, placeOf, textAt } from './records-read.js';

/** Reads envelopes; see `debezium`. */
export function debeziumDecoder<C extends Columns>(
  schema: RowSchema<C>,
  key: readonly string[] | undefined,
  keyForm: KeyForm,
  changelog: 'retract' | 'upsert',
  at: RecordPlace,
): RecordDecoder<InferRow<RowSchema<C>>> {
  const place = placeOf(at);
  const rows = schemaRows(schema, { op: undefined, changelog });
  const keyOf = key === undefined ? undefined : keyReader(schema, key, keyForm);
  const reader = new EnvelopeReader(rows, keyOf, changelog === 'retract', place);
  return {
    decode: (batch, from, to, target) =>
      decodeEach(batch, from, to, place, (records, index) => reader.read(records, index, target)),
  };
}

class EnvelopeReader<Row> {
  constructor(
    private readonly rows: RowReader<Row>,
    private readonly keyOf: ReturnType<typeof keyReader> | undefined,
    private readonly isRetract: boolean,
    private readonly place: Place,
  ) {}

  read(records: LogRecords, index: number, target: RowTarget<Row>): void {
    const text = textAt(records.values, index);
    // A tombstone, which follows a delete that was read already.
    if (text === undefined) return;
    const envelope = memberTexts(text, this.place, ['payload', 'op', 'before', 'after']);
    const { op, before, after } =
      envelope.op === undefined && envelope.payload !== undefined
        ? memberTexts(envelope.payload, this.place, ['op', 'before', 'after'])
        : envelope;
    switch (op) {
      case '"c"':
      case '"r"':
        target.add(this.#row(after, 'after'), Op.insert, index);
        return;
      case '"u"':
        this.#update(before, after, index, target);
        return;
      case '"d"':
        target.add(this.#deleted(before, records, index), Op.delete, index);
        return;
      case '"m"':
        return;
      default:
        throw formatError(
          this.place,
          `op ${op ?? 'is missing, and'} is none of Debezium's c, r, u, d, m that can be applied to rows`,
        );
    }
  }

  #update(
    before: string | undefined,
    after: string | undefined,
    index: number,
    target: RowTarget<Row>,
  ): void {
    // Both are converted before the first is added: a record gives all of its rows or none.
    const old = this.isRetract ? this.#row(before, 'before') : undefined;
    const row = this.#row(after, 'after');
    if (old !== undefined) target.add(old, Op.updateBefore, index);
    target.add(row, Op.updateAfter, index);
  }

  /** With upserts the key says enough; what is before may hold no more than the key, or nothing. */
  #deleted(before: string | undefined, records: LogRecords, index: number): Row {
    if (this.isRetract || this.keyOf === undefined) return this.#row(before, 'before');
    return this.rows.row(this.keyOf(this.#keyText(records, index), this.place), Op.delete, this.place);
  }

  /** Kafka Connect's converter puts a schema around keys too. */
  #keyText(records: LogRecords, index: number): string | undefined {
    const text = textAt(records.keys, index);
    if (text?.includes('"payload"') !== true) return text;
    const { schema, payload } = memberTexts(text, this.place, ['schema', 'payload']);
    return schema === undefined ? text : payload;
  }

  #row(text: string | undefined, member: string): Row {
    if (text === undefined || text === 'null') {
      const hint =
        member === 'before' ? `; the source has to send whole rows, or read with changelog: 'upsert'` : '';
      throw formatError(this.place, `the envelope has no ${member}${hint}`);
    }
    return this.rows.row(this.rows.parse(text, this.place), Op.updateAfter, this.place);
  }
}
