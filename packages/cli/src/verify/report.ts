/** What `eos verify` finds. */
import type { PartitionId } from '@eos/core';

/**
 * - `equal`: the destination holds exactly what it should.
 * - `different`: it does not.
 * - `unrepeatable`: the source or the transform does not give the same rows again, so that nothing can be said.
 */
export type Verdict = 'equal' | 'different' | 'unrepeatable';

export interface VerifyReport {
  readonly pipeline: string;
  readonly sink: string;
  readonly source: string;
  readonly destination: string;
  readonly verdict: Verdict;
  /** Up to where: the stored offset of each partition, as of the moment that the destination was looked at. */
  readonly positions: Readonly<Record<PartitionId, string | null>>;
  /** Rows that the destination should hold. */
  readonly expected: number;
  /** Rows that it holds. */
  readonly found: number;
  /** Rows of each kind; of a doubled one each copy too many. */
  readonly counts: Readonly<Record<WrongRow['kind'], number>>;
  /** Rows that nothing can be said about, see the notes. */
  readonly unjudged: number;
  /** The first rows of each kind, in the order of the source. */
  readonly rows: readonly WrongRow[];
  /** What limits the verdict, as sentences. */
  readonly notes: readonly string[];
}

export type RowValues = Readonly<Record<string, string | null>>;

export interface WrongRow {
  readonly kind: 'lost' | 'doubled' | 'changed' | 'foreign';
  /** How many copies are missing or too many. */
  readonly copies: number;
  /** Where the destination has several: the name of its table. */
  readonly table?: string;
  /** All columns of the row that should be there, else of the one that is; where it was changed, those of its key. */
  readonly row: RowValues;
  /** Of a changed row: the columns that differ. */
  readonly columns?: Readonly<
    Record<string, { readonly expected: string | null; readonly found: string | null }>
  >;
  readonly partition?: PartitionId;
  /** Where in the source its last change is; where a transform keeps no offsets, `offset` … `nextOffset` - 1 is the range it lies in. */
  readonly offset?: string;
  readonly nextOffset?: string;
}
