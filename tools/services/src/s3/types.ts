import type { SingleProcess } from '../process/single-process.js';

/** What every object store offers to a test, also one that was already running. */
export interface S3Service {
  /** The `http://` URL of the store; address buckets by path (`forcePathStyle`). */
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  /** A bucket that exists. */
  readonly bucket: string;
  /** Where the bucket's objects lie as files, if they do: other programs can read them there. */
  readonly directory: string | undefined;
  /** Stops the store and removes what it stored; does nothing to one that was already running. */
  stop(): Promise<void>;
}

/**
 * The program behind an object store. moto keeps everything in memory and checks no credentials. s3mock (Adobe's) lets several of the
 * writers win that race under a condition: it is there to be refused, and is never started unless it is asked for.
 */
export type S3Program = 'versitygw' | 'moto' | 's3mock';

/** An object store of one's own: it may be killed, frozen and restarted. */
export interface S3Server extends S3Service, SingleProcess {
  readonly program: S3Program;
  readonly logFile: string;
}

/** Options of `startS3`. */
export interface S3Options {
  /** Unless given: versitygw where Go is installed or has been, else moto. */
  readonly program?: S3Program;
  /** A port instead of any free one. */
  readonly port?: number;
  /** The name of the bucket, `eos-test` unless given. */
  readonly bucket?: string;
}
