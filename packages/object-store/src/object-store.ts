/**
 * The port for object stores. An object is a key and a body that is replaced as a whole. What a store promises is written at each
 * call; `objectStoreConformance` of `@eos/testkit/object-store` tests it.
 *
 * For the whole port:
 * - **Atomic.** A reader gets the whole body of one put, or none. Never a part, never a mixture, whenever a writer dies.
 * - **Read after write.** What a call acknowledged, every later `get`, `read`, `head` and `list` of any client sees.
 * - **Linearizable per key.** All conditional and unconditional writes of a key have one order, which the *store* decides: a check
 *   by the client is never enough. Nothing is promised across keys.
 * - **A lost answer is not an error to be guessed at.** A call whose effect is not known throws `EOS_UNKNOWN_OUTCOME`; the write may
 *   still land, at any later time. Everything else that is thrown had no effect and will have none.
 *
 * Every call may throw `EOS_UNAVAILABLE` (retryable: no connection, throttled, disk full), `EOS_PERMISSION`, `EOS_CONFIG` (a key or
 * an option is wrong) and, after `close`, `EOS_CLOSED`.
 */
export interface ObjectStore {
  /** For messages and logs: the kind of store and where it is. Holds no secret. */
  readonly description: string;

  /**
   * The whole object, or undefined where there is none. It is held in memory: for what is large, use {@link ObjectStore.read}.
   */
  get(key: string): Promise<StoredObject | undefined>;

  /**
   * A range of the body, or undefined where there is no object. Shorter than asked for where the object ends before, empty where
   * it ends at or before `start`. Two reads of an object that is replaced in between are of two bodies.
   */
  read(key: string, range: ByteRange): Promise<Uint8Array | undefined>;

  /** What there is to know without reading the body, or undefined where there is no object. */
  head(key: string): Promise<ObjectEntry | undefined>;

  /**
   * Stores a body, durably before it returns: it survives the loss of power where the store is a disk.
   *
   * With a condition, the store compares and writes in one atomic step. A condition that is not met is a *result*, `stored: false`,
   * because to lose a race is nothing out of the ordinary; nothing of the put is then visible, nor will be. Of any number of puts
   * of one absent key with `ifAbsent`, exactly one is stored; of those with `ifMatch` and one ETag, at most one.
   *
   * A store that asks again after a lost answer recognises its own write, and never reports it as somebody else's.
   * @throws EOS_UNKNOWN_OUTCOME where it can't be told whether the body was stored, or will be
   */
  put(key: string, body: Uint8Array, options?: PutOptions): Promise<PutResult>;

  /**
   * The objects whose keys begin with `prefix`, in ascending order of the keys' UTF-8 bytes, in pages of at most `pageSize` entries;
   * no page is empty. Memory holds one page. An object that is there from the first to the last page is listed exactly once, one
   * that comes or goes meanwhile at most once.
   */
  list(options?: ListOptions): AsyncIterable<readonly ObjectEntry[]>;

  /**
   * Deletes objects, any number. A key without an object is no error, so a repeated delete is none either. Not atomic: after an
   * error some are deleted.
   */
  delete(keys: readonly string[]): Promise<void>;

  /** Begins an upload of a body too large for memory, or of one that becomes visible later. Nothing is visible until `complete`. */
  createUpload(key: string): Promise<Upload>;

  /**
   * Makes a sealed upload visible under its key, in one atomic step, as {@link ObjectStore.put} does; by any client, in any process,
   * however long after. An upload that was completed already gives `stored: true` again as long as its object is there, and changes
   * nothing: not even a body that somebody else has put under the key since.
   * @throws EOS_UNKNOWN_OUTCOME as `put` does: complete it again to find out
   */
  complete(upload: SealedUpload, options?: CompleteOptions): Promise<CompleteResult>;

  /** Forgets uploads and frees what they hold. Objects stay; an unknown upload is no error. */
  abortUploads(uploads: readonly UploadEntry[]): Promise<void>;

  /** The uploads that are neither complete nor aborted, in no particular order, in pages of at most 1,000. */
  listUploads(options?: { readonly prefix?: string }): AsyncIterable<readonly UploadEntry[]>;

  /**
   * How long the store keeps an upload of a key that begins with `prefix`, or whose own prefix it is, before it aborts it by itself; in
   * milliseconds, Infinity where it never does, as far as the store tells. Absent: for ever.
   * @throws EOS_PERMISSION where the store does not let this client know
   */
  uploadLifetime?(prefix: string): Promise<number>;

  /** Frees connections and handles. Calls under way may fail. */
  close(): Promise<void>;
}

export interface StoredObject {
  readonly body: Uint8Array;
  /** For `ifMatch`. */
  readonly etag: string;
}

export interface ObjectEntry {
  readonly key: string;
  /** Size of the body. */
  readonly bytes: number;
  /** When it was stored, by the store's own clock. */
  readonly lastModified: Date;
}

/** From `start` up to, not including, `end`; or the `last` bytes. Integers; at least one byte. */
export type ByteRange = { readonly start: number; readonly end: number } | { readonly last: number };

export interface PutOptions {
  readonly condition?: PutCondition;
}

/**
 * When to store.
 * - `ifAbsent`: only where the key has no object (`If-None-Match: *`).
 * - `ifMatch`: only where the key's object has this ETag. An ETag may be made from the body alone, so that equal bodies have equal
 *   ETags: who must tell *A* from *A, then B, then A again* puts a random number into the body.
 */
export type PutCondition = { readonly ifAbsent: true } | { readonly ifMatch: string };

export interface CompleteOptions {
  /** Only where the key has no object. By ETag, few stores compare here. */
  readonly condition?: { readonly ifAbsent: true };
  /**
   * True: nobody but the writer of this upload ever makes an object of the key, so that one that is there is this one. Some stores call it a
   * success when an upload is gone and its key has any object; without this, it costs a request to tell.
   */
  readonly isKeyUnique?: boolean;
}

/** `stored: false`: the condition was not met. */
export type PutResult = { readonly stored: true; readonly etag: string } | { readonly stored: false };

/**
 * `vanished: true`: the store does not know the upload any more (aborted, expired) and its object is not there, or it demands a new
 * upload after a conflict. The same body may be uploaded again.
 */
export type CompleteResult = PutResult | { readonly stored: false; readonly vanished: true };

export interface ListOptions {
  /** Default: all objects. Not necessarily a folder: `a/b` also finds `a/bc`. */
  readonly prefix?: string;
  /** Only keys above this one. */
  readonly startAfter?: string;
  /** The most entries of a page, from 1 to 1,000. Default 1,000. */
  readonly pageSize?: number;
}

/** What names an upload. */
export interface UploadEntry {
  readonly key: string;
  /** Given by the store; no other upload ever has it. */
  readonly id: string;
}

/** An upload that is being written, by one writer. */
export interface Upload extends UploadEntry {
  /**
   * Appends to the body; one call at a time. The bytes may be used again when it has returned. It waits while the store is behind,
   * so that memory holds a fixed number of parts, whatever the size of the body.
   */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Ends the body. When it returns, all of it is durable at the store, outlives this process, and is not visible. Returns what
   * `complete` needs: plain JSON.
   */
  seal(): Promise<SealedUpload>;
  /** Forgets the upload and frees what it holds. Never after `seal`: use `abortUploads`. */
  abort(): Promise<void>;
}

/** An upload whose body is complete. Plain JSON, to be kept in a log. */
export interface SealedUpload extends UploadEntry {
  readonly bytes: number;
  /** SHA-256 of the body, in hex. */
  readonly sha256: string;
  /** Of S3: by what its object is known again. */
  readonly nonce?: string;
  /** Of S3: ETag and checksum of each part, in order. */
  readonly parts?: readonly UploadedPart[];
}

export interface UploadedPart {
  readonly etag: string;
  /** CRC-32 of the part, base64, which the service has verified. */
  readonly crc32?: string;
}
