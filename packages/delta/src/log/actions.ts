/** The actions of a Delta log, as the protocol names them. What the log holds is kept as it is; numbers of 63 bits are bigints. */

/** Version of a table: the number of its commit file, from 0. */
export type Version = number;

export interface Protocol {
  readonly minReaderVersion: number;
  readonly minWriterVersion: number;
  /** Only with reader version 3. */
  readonly readerFeatures?: readonly string[];
  /** Only with writer version 7. */
  readonly writerFeatures?: readonly string[];
}

export interface Metadata {
  /** Of the table, given when it was made. */
  readonly id: string;
  readonly name?: string;
  readonly description?: string;
  readonly provider: string;
  readonly formatOptions: Readonly<Record<string, string>>;
  /** The schema as JSON: see `schema/delta-schema.ts`. */
  readonly schemaString: string;
  readonly partitionColumns: readonly string[];
  /** In milliseconds. */
  readonly createdTime?: number;
  /** Table properties. */
  readonly configuration: Readonly<Record<string, string>>;
}

/** Text of each partition column; null, or an empty text, is null. Taken from the log only, never from a path. */
export type PartitionValues = Readonly<Record<string, string | null>>;

export type Tags = Readonly<Record<string, string | null>>;

export interface DeletionVector {
  /** `u`: a file named by a UUID; `i`: inline; `p`: a file by its absolute path. */
  readonly storageType: 'u' | 'i' | 'p';
  readonly pathOrInlineDv: string;
  readonly offset?: number;
  readonly sizeInBytes: number;
  readonly cardinality: number;
}

export interface AddFile {
  /** As the log has it: a URI, percent-encoded, relative to the table. `keyOfPath` decodes it. */
  readonly path: string;
  readonly partitionValues: PartitionValues;
  readonly size: number;
  /** In milliseconds. */
  readonly modificationTime: number;
  readonly dataChange: boolean;
  /** JSON, unparsed: most files are never asked for it. */
  readonly stats?: string;
  readonly tags?: Tags;
  readonly deletionVector?: DeletionVector;
  readonly baseRowId?: bigint;
  readonly defaultRowCommitVersion?: bigint;
  readonly clusteringProvider?: string;
}

export interface RemoveFile {
  readonly path: string;
  readonly dataChange: boolean;
  /** In milliseconds. */
  readonly deletionTimestamp?: number;
  /** Whether partitionValues, size and tags are given. */
  readonly extendedFileMetadata?: boolean;
  readonly partitionValues?: PartitionValues;
  readonly size?: number;
  readonly stats?: string;
  readonly tags?: Tags;
  readonly deletionVector?: DeletionVector;
  readonly baseRowId?: bigint;
  readonly defaultRowCommitVersion?: bigint;
}

/** A file of the change data feed. */
export interface ChangeFile {
  readonly path: string;
  readonly partitionValues: PartitionValues;
  readonly size: number;
  readonly tags?: Tags;
}

/** `txn`: the newest version of an application; what Eos keeps its positions in. */
export interface Transaction {
  readonly appId: string;
  readonly version: bigint;
  /** In milliseconds. */
  readonly lastUpdated?: number;
}

export interface DomainMetadata {
  readonly domain: string;
  readonly configuration: string;
  readonly removed: boolean;
}

/** Free JSON about a commit. Lost in checkpoints. */
export type CommitInfo = Readonly<Record<string, unknown>>;

/** The actions of one commit, by kind. */
export interface CommitActions {
  readonly info?: CommitInfo;
  readonly protocol?: Protocol;
  readonly metadata?: Metadata;
  readonly transactions: readonly Transaction[];
  readonly domains: readonly DomainMetadata[];
  readonly removes: readonly RemoveFile[];
  readonly adds: readonly AddFile[];
  readonly changeFiles: readonly ChangeFile[];
}

/** A commit that is in the log. */
export interface Commit extends CommitActions {
  readonly version: Version;
}

export const NO_ACTIONS: CommitActions = {
  transactions: [],
  domains: [],
  removes: [],
  adds: [],
  changeFiles: [],
};

/** The id of a deletion vector; empty for none. Files are told apart by path and this. */
export function deletionVectorId(vector: DeletionVector | undefined): string {
  if (vector === undefined) return '';
  const { storageType, pathOrInlineDv, offset } = vector;
  return `${storageType}${pathOrInlineDv}${offset === undefined ? '' : `@${offset}`}`;
}
