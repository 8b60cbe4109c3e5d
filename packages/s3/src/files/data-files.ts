/** What the sink and the formats of files agree on. */
import type { ChangeBatch, JsonValue } from '@eos/core';
import type { ObjectStore, SealedUpload } from '@eos/object-store';

/** A data file as the log records it: never changed, never overwritten. */
export interface DataFile {
  /** Its key below the table's prefix, folders of partitions included. */
  readonly path: string;
  /** As stored. */
  readonly bytes: number;
  readonly rows: number;
  /** SHA-256 of the bytes as stored, in hex. */
  readonly sha256: string;
  /** By column: what all rows of the file have in it, as text; null for null. */
  readonly partition?: Readonly<Record<string, string | null>>;
  /** By column: what its values lie between. */
  readonly columns?: Readonly<Record<string, ColumnRange>>;
  /** With `visibility: 'listing'`: the upload that makes the file visible once it is completed. */
  readonly upload?: SealedUpload;
}

/** Bounds of the values of a column that are not null. A column that is left out may hold anything. */
export interface ColumnRange {
  readonly min?: JsonValue;
  readonly max?: JsonValue;
  readonly nulls?: number;
}

/** Where the files of one transaction go. */
export interface DataFilesPlace {
  readonly store: ObjectStore;
  /** Of the table: empty, or ends in `/`. */
  readonly prefix: string;
  /** The log's end as the writer last saw it: part of every name, so that vacuum can tell what may still be committed. */
  readonly seen: bigint;
  /** True: files stay uncompleted uploads, which nobody sees. */
  readonly pending: boolean;
}

/** The files of one transaction, while they are written. */
export interface DataFiles<Row> {
  /** Adds changes, in order; one call at a time. */
  write(batch: ChangeBatch<Row>): Promise<void>;
  /** Ends all files. They are durable when it returns. Those of one folder are in the order in which they were written. */
  seal(): Promise<readonly DataFile[]>;
  /** Ends a `write` or `seal` under way, and deletes what was stored, as far as it gets. Never throws. */
  abort(): Promise<void>;
}
