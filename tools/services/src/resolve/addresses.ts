import type { S3Service } from '../s3/types.js';

/** Reads `host:port,host:port`. */
export function parseBrokers(list: string): string[] {
  const brokers = list.split(',').map((broker) => broker.trim());
  for (const broker of brokers) {
    if (!/^.+:\d+$/.test(broker)) throw new TypeError(`EOS_TEST_KAFKA: not host:port: "${broker}"`);
  }
  return brokers;
}

/** An object store without what only a running one has. */
export type S3Address = Pick<S3Service, 'endpoint' | 'accessKeyId' | 'secretAccessKey' | 'region' | 'bucket'>;

/** Reads `http://key:secret@host:port/bucket?region=…`, where the region may be left out. */
export function parseS3(url: string): S3Address {
  const { protocol, host, username, password, pathname, searchParams } = new URL(url);
  const bucket = decodeURIComponent(pathname.slice(1));
  if (bucket === '' || bucket.includes('/')) throw new TypeError('EOS_TEST_S3: the path must be one bucket');
  return {
    endpoint: `${protocol}//${host}`,
    accessKeyId: decodeURIComponent(username),
    secretAccessKey: decodeURIComponent(password),
    region: searchParams.get('region') ?? 'us-east-1',
    bucket,
  };
}

/** The same as one URL. */
export function printS3(address: S3Address): string {
  const url = new URL(`/${encodeURIComponent(address.bucket)}`, address.endpoint);
  url.username = encodeURIComponent(address.accessKeyId);
  url.password = encodeURIComponent(address.secretAccessKey);
  url.searchParams.set('region', address.region);
  return url.href;
}
