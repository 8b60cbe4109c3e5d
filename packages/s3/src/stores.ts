/** The store that the options name: opened when it is needed, and looked at before it is written to. */
import { EosError } from '@eos/core';
import { localObjectStore, type ObjectStore } from '@eos/object-store';
import type { S3ObjectStoreOptions } from '@eos/object-store/s3';
import type { StoreOptions } from './options.js';
import { probed } from './probed.js';

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
async function s3Module(): Promise<typeof import('@eos/object-store/s3')> {
  try {
    return await import('@eos/object-store/s3');
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
