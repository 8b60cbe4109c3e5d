import type { Column } from '@eos/core';

export interface HeldType {
  /** As a column declares it. */
  readonly type: string;
  /** Values as rows have them; each with SQL for the same where that is not the value as a literal. */
  readonly values: readonly Value[];
  /** The type of the values in a schema; without one, a string that holds the text form. Undefined: no schema can say it. */
  readonly column?: Column | undefined;
  /** Values that only a column which no schema describes takes. */
  readonly native?: readonly Value[];
  /** Each is EOS_ROW. */
  readonly refused?: readonly unknown[];
  /** Whether an upsert can go by it. Default false: EOS_SCHEMA. */
  readonly isKey?: boolean;
  /** Whether retract can find rows by it. Default true; else EOS_SCHEMA. */
  readonly hasEquality?: boolean;
  /** Whether its equality goes with no order: retract cannot find rows that have such a type and one that has only an order. */
  readonly isHashedOnly?: boolean;
  /** Takes no null. */
  readonly isRequired?: boolean;
}

export type Value = string | readonly [value: unknown, sql: string];

/** A text with backslashes or quotes, as a literal of its own form: not the way by which the sink writes it. */
export function textValue(text: string): Value {
  const escaped = text.replace(
    /[\\'\n\r\t]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return [text, `E'${escaped}'`];
}
