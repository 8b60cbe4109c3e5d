import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { EosError } from '@eos/core';
import { checkKey } from '../keys.js';

export interface S3ObjectStoreOptions {
  readonly bucket: string;
  /** What the keys begin with in the bucket, such as `team/pipelines/`; ends in `/`. Default: nothing. */
  readonly prefix?: string;
  /**
   * The official client, or what it is made from: endpoint, region, `forcePathStyle`, credentials, `maxAttempts`, `retryMode`, and so on.
   * Default: what the environment says, five attempts, 10 s to connect, 60 s without a byte.
   */
  readonly client?: S3Client | S3ClientConfig;
  /** Size of a part of an upload, 5 MiB to 1 GiB; an upload has at most 10,000. Default 8 MiB. */
  readonly partBytes?: number;
  /** How many parts of an upload travel at once. An upload holds one more in memory. Default 4. */
  readonly parallelParts?: number;
}

/** Where a store is, and how it gets there. */
export interface Bucket {
  readonly client: S3Client;
  readonly bucket: string;
  readonly prefix: string;
  readonly partBytes: number;
  readonly parallelParts: number;
  /** Whether the client was made for this store, and ends with it. */
  readonly ownsClient: boolean;
}

export const MAX_PARTS = 10_000;

const MIB = 2 ** 20;

/** @throws EOS_CONFIG with the option's name */
export function bucketOf(options: S3ObjectStoreOptions): Bucket {
  const { bucket, prefix = '', client = {}, partBytes = 8 * MIB, parallelParts = 4 } = options;
  if (typeof bucket !== 'string' || bucket === '') throw wrong('bucket', 'must be the name of a bucket');
  if (prefix !== '') {
    if (!prefix.endsWith('/')) throw wrong('prefix', 'must end in /');
    checkKey(prefix.slice(0, -1));
  }
  checkInteger('partBytes', partBytes, 5 * MIB, 1_024 * MIB);
  checkInteger('parallelParts', parallelParts, 1, 64);
  const ownsClient = !(client instanceof S3Client);
  const used = ownsClient ? clientOf(client) : client;
  return { client: used, bucket, prefix, partBytes, parallelParts, ownsClient };
}

function clientOf(config: S3ClientConfig): S3Client {
  const requestHandler = { connectionTimeout: 10_000, socketTimeout: 60_000 };
  return new S3Client({ maxAttempts: 5, requestHandler, ...config });
}

function checkInteger(option: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most)
    throw wrong(option, `must be an integer from ${least} to ${most}, not ${value}`);
}

function wrong(option: string, message: string): EosError {
  return new EosError('EOS_CONFIG', `${option} ${message}`, { details: { option } });
}
