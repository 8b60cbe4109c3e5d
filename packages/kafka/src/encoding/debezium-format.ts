/** Changes in the envelope of Debezium: `{ before, after, source, op, ts_ms }`. */
import { type Columns, type InferRow, type NumberForms, type RowInput, type RowSchema } from '@eos/core';
import { DebeziumEncoder } from './debezium-writer.js';
import { debeziumDecoder } from './debezium-reader.js';
import { checkKey } from './format-options.js';
import type { RecordFormat } from './format.js';
import type { KeyForm } from './json-keys.js';
import { keyText, objectText } from './json-rows.js';
import { headerColumn, type HeadersOption } from './record-headers.js';

export interface DebeziumOptions<C extends Columns> extends NumberForms {
  readonly schema: RowSchema<C>;
  /** Columns whose value is the key of the record. Needed but for `changelog: 'retract'` without keys. */
  readonly key?: readonly string[];
  /** How keys are written and read; see `json`. */
  readonly keyForm?: KeyForm;
  /**
   * `retract` (default): rows as they were before come with updates and deletes; reading refuses a record that lacks them (a table of
   * Postgres needs `REPLICA IDENTITY FULL`). `upsert`: the last row of a key counts; a delete gives the columns of the key.
   */
  readonly changelog?: 'retract' | 'upsert';
  /** Writing: whether a tombstone follows each delete, for topics that are compacted. Default true, as Debezium does. Needs a key. */
  readonly tombstones?: boolean;
  readonly headers?: HeadersOption<RowInput<RowSchema<C>>>;
}

/**
 * Writes `+I` as `c`, `-U +U` as one `u`, `-D` as `d`; an update that changes the key as `d` and `c`, as Debezium does. `source` names the
 * pipeline, the sink, and partition and offset of the source row. Reads `c`, `r` (a snapshot), `u` and `d`, with the schema of Kafka
 * Connect around them or without; tombstones and messages (`m`) are skipped, a truncation (`t`) is refused.
 * @throws EOS_CONFIG
 */
export function debezium<C extends Columns>(
  options: DebeziumOptions<C>,
): RecordFormat<RowInput<RowSchema<C>>, InferRow<RowSchema<C>>> {
  const { schema, key, keyForm = 'json', changelog = 'retract', tombstones = true } = options;
  checkKey(schema, key, changelog === 'upsert');
  const texts = {
    row: objectText(schema, options),
    key: key === undefined ? undefined : keyText(schema, key, keyForm, options),
  };
  const headers = headerColumn(options.headers);
  return {
    name: `debezium (${changelog})`,
    changelog,
    ...(changelog === 'upsert' && key !== undefined ? { key } : {}),
    encoder: (context) => () =>
      new DebeziumEncoder<RowInput<RowSchema<C>>>(
        context,
        texts,
        tombstones && key !== undefined,
        headers,
        changelog === 'retract',
      ),
    decoder: (place) => debeziumDecoder(schema, key, keyForm, changelog, place),
  };
}
