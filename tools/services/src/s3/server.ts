import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ServiceError } from '../errors.js';
import { findJava } from '../kafka/distribution.js';
import { freePort } from '../process/free-port.js';
import { launch, untilReady } from '../process/managed-process.js';
import type { LaunchOptions, ManagedProcess } from '../process/managed-process.js';
import { controlProcess } from '../process/single-process.js';
import { guard } from '../process/watchdog.js';
import {
  availableProgram,
  fetchMoto,
  fetchS3Mock,
  fetchVersitygw,
  missingForS3,
  motoCommand,
} from './programs.js';
import type { S3Options, S3Program, S3Server } from './types.js';

const START_MILLISECONDS = 30_000;
const region = 'us-east-1';

/**
 * Starts an object store on 127.0.0.1 with one empty bucket and random credentials, fetched when it is not in the
 * cache (which takes Go a minute or two). It is stopped by `stop`, and by a watchdog when this process ends without
 * having called it.
 *
 * @example
 * const { endpoint, region, accessKeyId, secretAccessKey, bucket } = await startS3();
 * const client = new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
 */
export async function startS3(options: S3Options = {}): Promise<S3Server> {
  const program = options.program ?? availableProgram();
  if (program === undefined) throw new ServiceError('EOS_SERVICE_UNAVAILABLE', missingForS3() ?? '');
  const folder = await mkdtemp(join(tmpdir(), 'eos-s3-'));
  const release = guard({ signal: 'SIGTERM', remove: [folder] });
  const removeFiles = async (): Promise<void> => {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    release();
  };
  try {
    const port = options.port ?? (await freePort());
    const bucket = options.bucket ?? 'eos-test';
    const store: Store = { folder, port, bucket, ...newCredentials(), logFile: join(folder, 'server.log') };
    const launchOptions = await preparations[program](store);
    const run = (): Promise<ManagedProcess> => runStore(program, store, launchOptions);
    const controls = controlProcess(run, await run());
    const stop = async (): Promise<void> => {
      await controls.kill();
      await removeFiles();
    };
    const { accessKeyId, secretAccessKey, logFile } = store;
    const directory = program === 'versitygw' ? bucketFolder(store) : undefined;
    const address = { endpoint: endpointOf(store), accessKeyId, secretAccessKey, region, bucket, directory };
    return { ...controls, ...address, program, logFile, stop };
  } catch (error) {
    await removeFiles();
    throw error;
  }
}

interface Store {
  readonly folder: string;
  readonly port: number;
  readonly bucket: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly logFile: string;
}

const newCredentials = (): { accessKeyId: string; secretAccessKey: string } => ({
  accessKeyId: `eos${randomBytes(6).toString('hex')}`,
  secretAccessKey: randomBytes(20).toString('hex'),
});

const endpointOf = ({ port }: Store): string => `http://127.0.0.1:${port}`;
const bucketFolder = ({ folder, bucket }: Store): string => join(folder, 'buckets', bucket);

async function prepareVersitygw(store: Store): Promise<LaunchOptions> {
  const command = await fetchVersitygw();
  // A folder below the root is a bucket, whoever made it.
  await mkdir(bucketFolder(store), { recursive: true });
  const address = `127.0.0.1:${store.port}`;
  return {
    command,
    // Never `--keep-alive`: the request after a streamed upload then fails.
    arguments: ['--port', address, '--region', region, '--quiet', 'posix', join(store.folder, 'buckets')],
    environment: {
      ...process.env,
      ROOT_ACCESS_KEY: store.accessKeyId,
      ROOT_SECRET_KEY: store.secretAccessKey,
    },
    directory: store.folder,
    logFile: store.logFile,
    orphanSignal: 'SIGKILL',
  };
}

async function prepareMoto(store: Store): Promise<LaunchOptions> {
  const { command, environment } = motoCommand(await fetchMoto());
  return {
    command,
    arguments: ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(store.port)],
    environment,
    directory: store.folder,
    logFile: store.logFile,
    orphanSignal: 'SIGKILL',
  };
}

async function prepareS3Mock(store: Store): Promise<LaunchOptions> {
  const jar = await fetchS3Mock();
  const settings = {
    'server.ssl.enabled': 'false',
    'server.address': '127.0.0.1',
    'server.port': store.port,
    // It insists on a second port, which it binds everywhere: any free one, and nobody is told.
    'http.port': 0,
    'com.adobe.testing.s3mock.store.initialBuckets': store.bucket,
    'com.adobe.testing.s3mock.store.root': join(store.folder, 'objects'),
  };
  const given = Object.entries(settings).map(([name, value]) => `--${name}=${value}`);
  return {
    command: findJava() ?? 'java',
    arguments: ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-jar', jar, ...given],
    directory: store.folder,
    logFile: store.logFile,
    orphanSignal: 'SIGKILL',
  };
}

const preparations = { versitygw: prepareVersitygw, moto: prepareMoto, s3mock: prepareS3Mock };

async function runStore(program: S3Program, store: Store, options: LaunchOptions): Promise<ManagedProcess> {
  const server = await launch(options);
  try {
    await untilReady(server, () => accepts(store.port), START_MILLISECONDS);
    // moto has forgotten everything; it lets anybody make a bucket.
    if (program === 'moto') await makeMotoBucket(store);
    return server;
  } catch (error) {
    server.signal('SIGKILL');
    await server.ended(START_MILLISECONDS);
    throw error;
  }
}

async function makeMotoBucket(store: Store): Promise<void> {
  const response = await fetch(`${endpointOf(store)}/${store.bucket}`, { method: 'PUT' });
  if (!response.ok)
    throw new ServiceError('EOS_SERVICE_FAILED', `moto did not make a bucket: ${response.status}`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
