/**
 * The entries of the log. Entry `seq` is the object `_eos/log/<seq, 20 digits>.json`, put only where there is none: who puts it has read
 * all entries before it, so that the put is the compare of law 2. An entry is never changed and never deleted: a put that was
 * stalled for a year must still find its slot taken.
 *
 * Whether an entry takes effect is judged again by everybody who reads it (`apply.ts`). That changes nothing for one that was put after
 * all before it was read, which is the rule; one that was put by a writer whose log went back under it (a restored backup) is void.
 */
import type { Owner, PartitionId, Position, TxId } from '@eos/core';
import type { DataFile } from '../files/data-files.js';

/** Version of the log's format. A reader stops at one it does not know. */
export const LOG_FORMAT = 1;

export type LogEntry = TableEntry | ClaimEntry | CommitEntry | FloorEntry | BaseEntry;

interface EntryHead {
  /** Random, 32 hex digits: tells one's own put from another's. */
  readonly nonce: string;
  /** Milliseconds since 1970 by the writer's clock. For people: nothing is decided by it. */
  readonly at: number;
}

/** Makes the table, or adds columns to it. The first entry of every log. */
export interface TableEntry extends EntryHead {
  readonly kind: 'table';
  readonly table: TableDescription;
}

/** What all writers of a prefix agree on. */
export interface TableDescription {
  /** The target of every position: a random id. */
  readonly target: string;
  readonly mode: 'append' | 'upsert';
  /** With `upsert`: columns of the key; else empty. */
  readonly key: readonly string[];
  /** When files become visible; `listing` is refused by compaction. */
  readonly visibility: 'log' | 'listing';
  /** In order. Columns may be added behind, never taken away. */
  readonly columns: readonly TableColumn[];
}

export interface TableColumn {
  readonly name: string;
  /** As `rowSchemaOf` of core reads it: `int64`, `decimal(12, 2)`, with a question mark behind where it may be null. */
  readonly type: string;
}

/** Law 1: a session takes partitions. */
export interface ClaimEntry extends EntryHead {
  readonly kind: 'claim';
  readonly pipeline: string;
  readonly sink: string;
  readonly owner: Owner;
  /** Each partition with the owner that was there; null: none. */
  readonly replacing: ReadonlyMap<PartitionId, Owner | null>;
  /** With `visibility: 'listing'`: commits of which nothing became visible, and nothing can. */
  readonly revoking: readonly Revocation[];
}

/** Takes a commit back whose uploads the store has lost. */
export interface Revocation {
  readonly seq: bigint;
  /** Where its partitions stand without it. The epoch counts this as one commit more, so that nobody goes on from the other. */
  readonly positions: ReadonlyMap<PartitionId, Position>;
}

/** Law 2: files and positions, visible together. */
export interface CommitEntry extends EntryHead {
  readonly kind: 'commit';
  readonly pipeline: string;
  readonly sink: string;
  readonly owner: Owner;
  readonly txId: TxId;
  /** The end of the log when the files were named (the least of it). */
  readonly seen: bigint;
  /** The positions that the commit stores; their epochs are one above what it compared. */
  readonly positions: ReadonlyMap<PartitionId, Position>;
  /** Where each partition stood before; null: nowhere. */
  readonly from: ReadonlyMap<PartitionId, bigint | null>;
  readonly files: readonly DataFile[];
}

/**
 * Vacuum, first step: no file whose name carries a number below `floor` will be committed from here on. The next vacuum's floor is
 * the number of this entry.
 */
export interface FloorEntry extends EntryHead {
  readonly kind: 'floor';
  readonly floor: bigint;
}

/**
 * Compaction: what the entries up to `upTo`, included, have written is now these files. Entries above it count as before, and positions stay.
 */
export interface BaseEntry extends EntryHead {
  readonly kind: 'base';
  readonly upTo: bigint;
  /** The base that this one is built on; null: none. Compared, so that of two compactions at a time one is void. */
  readonly replacing: bigint | null;
  /** Objects that list the files. */
  readonly manifests: readonly ManifestReference[];
}

/** An object below `_eos/` that lists data files, one a line. */
export interface ManifestReference {
  /** Below the prefix. */
  readonly path: string;
  readonly bytes: number;
  /** Of its bytes, in hex. */
  readonly sha256: string;
  readonly files: number;
  readonly rows: number;
}
