/** What a table is as of a version: the log replayed, action by action (the protocol's "action reconciliation"). */
import type { Commit, DomainMetadata, Metadata, Protocol, Transaction, Version } from './actions.js';
import { malformed } from './fields.js';
import { LiveFiles } from './live-files.js';

/** The state that a checkpoint holds, without its files. */
export interface CheckpointState {
  readonly version: Version;
  readonly protocol: Protocol;
  readonly metadata: Metadata;
  readonly transactions: readonly Transaction[];
  readonly domains: readonly DomainMetadata[];
}

/**
 * Follows the log of one table. It only ever moves forward, by the commit behind the one that it has.
 *
 * Memory: the newest `txn` of each application, and what {@link LiveFiles} says.
 */
export class TableState {
  #version: Version;
  #protocol: Protocol | undefined;
  #metadata: Metadata | undefined;
  readonly #transactions = new Map<string, Transaction>();
  readonly #domains = new Map<string, DomainMetadata>();

  constructor(
    checkpoint: CheckpointState | undefined,
    readonly files: LiveFiles,
  ) {
    this.#version = checkpoint?.version ?? -1;
    this.#protocol = checkpoint?.protocol;
    this.#metadata = checkpoint?.metadata;
    for (const transaction of checkpoint?.transactions ?? [])
      this.#transactions.set(transaction.appId, transaction);
    for (const domain of checkpoint?.domains ?? []) this.#domains.set(domain.domain, domain);
  }

  /** -1 where there is no table. */
  get version(): Version {
    return this.#version;
  }

  get protocol(): Protocol {
    return this.#protocol ?? this.#missing('protocol');
  }

  get metadata(): Metadata {
    return this.#metadata ?? this.#missing('metaData');
  }

  /** The newest of each application. */
  get transactions(): ReadonlyMap<string, Transaction> {
    return this.#transactions;
  }

  /** Those that were not removed. */
  get domains(): ReadonlyMap<string, DomainMetadata> {
    return this.#domains;
  }

  /** Takes the next commit. */
  apply(commit: Commit): void {
    if (commit.version !== this.#version + 1)
      throw malformed(`version ${commit.version} does not follow version ${this.#version}`);
    this.#version = commit.version;
    this.#protocol = commit.protocol ?? this.#protocol;
    this.#metadata = commit.metadata ?? this.#metadata;
    for (const transaction of commit.transactions) this.#transactions.set(transaction.appId, transaction);
    for (const domain of commit.domains) {
      if (domain.removed) this.#domains.delete(domain.domain);
      else this.#domains.set(domain.domain, domain);
    }
    this.files.apply(commit);
  }

  #missing(action: string): never {
    throw malformed(`there is no ${action} up to version ${this.#version}`);
  }
}
