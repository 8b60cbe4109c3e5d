import { Op, type ChangeBatch, type RowOrigin, type SinkContext } from '@eos/core';
import type { EncodedRecords, RecordEncoder } from './format.js';
import type { RowText } from './json-rows.js';
import type { headerColumn } from './record-headers.js';
import { TextColumn } from './text-column.js';

/** The texts that envelopes are made of. */
export interface EnvelopeTexts {
  readonly row: RowText;
  readonly key: RowText | undefined;
}

/** A `-U` until its `+U` is there. */
interface Before<Row> {
  readonly row: Row;
  readonly text: string;
  readonly key: string | undefined;
  readonly offset: bigint | undefined;
}

/** Envelopes of one transaction. */
export class DebeziumEncoder<Row> implements RecordEncoder<Row> {
  /** By source partition: a `-U` at the end of a batch. */
  readonly #befores = new Map<string, Before<Row>>();

  constructor(
    private readonly context: SinkContext,
    private readonly texts: EnvelopeTexts,
    private readonly tombstones: boolean,
    private readonly headers: ReturnType<typeof headerColumn<Row>>,
    /** Whether readers take back what is in `before`: an update without it would leave them nothing to take. */
    private readonly isRetract: boolean,
  ) {}

  encode(batch: ChangeBatch<Row>): EncodedRecords<Row> {
    const { rows, ops, offsets, partition } = batch;
    const envelopes = new Envelopes<Row>(this.context, partition, this.tombstones);
    let before = this.#befores.get(partition);
    this.#befores.delete(partition);
    for (let index = 0; index < rows.length; index++) {
      // Within the bounds of the batch.
      const row = rows[index] as Row;
      const [op, offset] = [ops?.[index] ?? Op.insert, offsets?.[index]];
      const [text, key] = [this.texts.row(row, index, batch), this.texts.key?.(row, index, batch)];
      if (before !== undefined && (op !== Op.updateAfter || before.key !== key)) {
        envelopes.delete(before);
        before = undefined;
        if (op === Op.updateAfter) {
          envelopes.add('c', row, 'null', text, key, offset);
          continue;
        }
      }
      const change = { row, text, key, offset };
      if (op === Op.updateBefore) before = change;
      else if (op === Op.delete) envelopes.delete(change);
      else {
        const isUpdate = op !== Op.insert && (before !== undefined || !this.isRetract);
        envelopes.add(isUpdate ? 'u' : 'c', row, before?.text ?? 'null', text, key, offset);
        before = undefined;
      }
    }
    if (before !== undefined) this.#befores.set(partition, before);
    return envelopes.build(this.texts.key !== undefined, this.headers, batch);
  }

  finish(): EncodedRecords<Row> | undefined {
    const [...rest] = this.#befores;
    this.#befores.clear();
    const [first] = rest;
    if (first === undefined) return undefined;
    const envelopes = new Envelopes<Row>(this.context, first[0], this.tombstones);
    for (const [partition, before] of rest) envelopes.delete(before, partition);
    return envelopes.build(this.texts.key !== undefined, this.headers, { partition: first[0] });
  }
}

type EnvelopeOp = 'c' | 'u' | 'd';

class Envelopes<Row> {
  readonly #rows: Row[] = [];
  readonly #keys = new TextColumn();
  readonly #values = new TextColumn();
  readonly #now = Date.now();

  constructor(
    private readonly context: SinkContext,
    private readonly partition: string,
    private readonly tombstones: boolean,
  ) {}

  add(
    op: EnvelopeOp,
    row: Row,
    before: string,
    after: string,
    key: string | undefined,
    offset: bigint | undefined,
    partition = this.partition,
  ): void {
    const { pipeline, sink } = this.context;
    const source =
      `{"version":"1","connector":"eos","name":${JSON.stringify(pipeline)},"sink":${JSON.stringify(sink)},` +
      `"partition":${JSON.stringify(partition)},"offset":${offset === undefined ? 'null' : `"${offset.toString()}"`}}`;
    this.#rows.push(row);
    this.#values.add(
      `{"before":${before},"after":${after},"source":${source},"op":"${op}","ts_ms":${this.#now}}`,
    );
    this.#addKey(key);
  }

  delete({ row, text, key, offset }: Before<Row>, partition = this.partition): void {
    this.add('d', row, text, 'null', key, offset, partition);
    if (!this.tombstones) return;
    this.#rows.push(row);
    this.#values.addNull();
    this.#addKey(key);
  }

  build(
    isKeyed: boolean,
    headers: ReturnType<typeof headerColumn<Row>>,
    origin: RowOrigin,
  ): EncodedRecords<Row> {
    const headerBytes = headers(this.#rows, origin);
    return {
      rows: this.#rows,
      records: {
        count: this.#rows.length,
        ...(isKeyed ? { keys: this.#keys.build() } : {}),
        values: this.#values.build(),
        ...(headerBytes === undefined ? {} : { headers: headerBytes }),
      },
    };
  }

  #addKey(key: string | undefined): void {
    if (key === undefined) this.#keys.addNull();
    else this.#keys.add(key);
  }
}
