import type { PartitionId } from './identifiers.js';

/** What a row of a batch is: one byte each, in the notation of Flink's changelogs. */
export const Op = {
  /** `+I` */
  insert: 0,
  /** `-U`: the row as it was before an update. */
  updateBefore: 1,
  /** `+U`: the row as it is after an update. */
  updateAfter: 2,
  /** `-D` */
  delete: 3,
} as const;

export type Op = (typeof Op)[keyof typeof Op];

/** The names of the ops by their byte. */
export const OP_NAMES = ['+I', '-U', '+U', '-D'] as const;

export type OpName = (typeof OP_NAMES)[number];

/** A batch of changes: columns beside the rows, no object per change. */
export interface ChangeBatch<Row> {
  readonly rows: readonly Row[];
  /** One {@link Op} a row; absent: all are `+I`. */
  readonly ops?: Uint8Array;
  readonly partition: PartitionId;
  /** Where each row came from; errors and dead letters name it. */
  readonly offsets?: BigInt64Array;
}

/** True where the change takes a row away (`-U`, `-D`). */
export function isRetraction(op: number): boolean {
  return (op & 1) === 1;
}

/**
 * The byte of `+I`, `-U`, `+U` or `-D`; undefined for any other text.
 */
export function parseOp(name: unknown): Op | undefined {
  switch (name) {
    case '+I':
      return Op.insert;
    case '-U':
      return Op.updateBefore;
    case '+U':
      return Op.updateAfter;
    case '-D':
      return Op.delete;
    default:
      return undefined;
  }
}
