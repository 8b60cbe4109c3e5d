/** The store that a connector's options name: opened when it is needed, and looked at before it is written to. */
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { EosError } from '@eos/core';
import { localObjectStore } from './local/local-store.js';
import type { ObjectStore } from './object-store.js';
import { probed } from './probed.js';
import type { S3ObjectStoreOptions } from './s3.js';

/** Where a connector's objects are: exactly one of `bucket`, `folder` and `store`. */
export interface StoreOptions {
  /** A bucket of S3 or of a service that speaks its protocol. Needs `@aws-sdk/client-s3`. */
  readonly bucket?: string;
  /** With `bucket`: the official client, or what it is made from (endpoint, region, credentials, `forcePathStyle`, …); passed through. */
  readonly client?: S3Client | S3ClientConfig;
  /** With `bucket`: the size of a part of an upload in bytes, 5 MiB to 1 GiB. Default 8 MiB. */
  readonly partBytes?: number;
  /** With `bucket`: how many parts of an upload travel at once, 1 to 64. Default 4. */
  readonly parallelParts?: number;
  /** A local folder, made where it is missing. */
  readonly folder?: string;
  /** Any store of `@eos/object-store`. It is not closed. */
  readonly store?: ObjectStore;
}

export interface StorePlace {
  /** For messages. Holds no secret. */
  readonly description: string;
  open(): Promise<OpenStore>;
}

export interface OpenStore {
  readonly store: ObjectStore;
  /**
   * Looks whether the store compares where it says so: see `probed.ts`.
   * @param prefix of the table: below it the look writes, and deletes after itself
   * @param isNewTable whether there is no log yet
   * @throws EOS_STORE_UNSAFE
   */
  probe(prefix: string, isNewTable: boolean): Promise<void>;
  /** Frees what `open` has made. */
  close(): Promise<void>;
}

/** @throws EOS_CONFIG, with the name of the option */
export function storePlace(options: StoreOptions): StorePlace {
  const { bucket, folder, store } = options;
  const given = [bucket, folder, store].filter((value) => value !== undefined);
  if (given.length !== 1)
    throw wrong('bucket', 'give exactly one of bucket, folder and store: where the table is');
  for (const option of ['client', 'partBytes', 'parallelParts'] as const) {
    if (options[option] !== undefined && bucket === undefined) throw wrong(option, 'goes with bucket only');
  }
  if (store !== undefined) return givenPlace(store);
  if (folder !== undefined) return folderPlace(folder);
  return bucketPlace({ ...options, bucket: bucket ?? '' });
}

function givenPlace(store: ObjectStore): StorePlace {
  return {
    description: store.description,
    open: async () => ({
      store,
      probe: (prefix, isNew) => probed(store, store, prefix, isNew ? 'thorough' : 'short'),
      close: async () => {},
    }),
  };
}

function folderPlace(folder: string): StorePlace {
  if (typeof folder !== 'string' || folder === '') throw wrong('folder', 'must be the path of a folder');
  return {
    description: folder,
    open: async () => {
      const store = localObjectStore({ root: folder });
      return {
        store,
        probe: (prefix) => probed(folder, store, prefix, 'folder'),
        close: () => store.close(),
      };
    },
  };
}

function bucketPlace({
  bucket,
  client,
  partBytes,
  parallelParts,
}: StoreOptions & { bucket: string }): StorePlace {
  if (typeof bucket !== 'string' || bucket === '') throw wrong('bucket', 'must be the name of a bucket');
  const options: S3ObjectStoreOptions = {
    bucket,
    ...(client === undefined ? {} : { client }),
    ...(partBytes === undefined ? {} : { partBytes }),
    ...(parallelParts === undefined ? {} : { parallelParts }),
  };
  return {
    description: `s3://${bucket}`,
    open: async () => {
      const store = (await s3Module()).s3ObjectStore(options);
      return {
        store,
        probe: (prefix, isNew) => probed(options, store, prefix, isNew ? 'thorough' : 'short'),
        close: () => store.close(),
      };
    },
  };
}

/** The client is an optional peer: who writes to a folder needs none. */
async function s3Module(): Promise<typeof import('./s3.js')> {
  try {
    return await import('./s3.js');
  } catch (cause) {
    throw new EosError('EOS_CONFIG', 'bucket needs the package @aws-sdk/client-s3: install it', {
      details: { option: 'bucket' },
      cause,
    });
  }
}

function wrong(option: keyof StoreOptions, problem: string): EosError {
  return new EosError('EOS_CONFIG', `${option}: ${problem}`, { details: { option } });
}
