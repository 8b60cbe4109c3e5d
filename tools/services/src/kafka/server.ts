import { randomBytes } from 'node:crypto';
import { mkdtemp, open, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { hasCode, ServiceError } from '../errors.js';
import { freePort } from '../process/free-port.js';
import { launch, untilReady } from '../process/managed-process.js';
import type { ManagedProcess } from '../process/managed-process.js';
import { fetchWith } from '../process/program.js';
import { controlProcess } from '../process/single-process.js';
import { guard } from '../process/watchdog.js';
import { assetFile, defaultVersion, fetchKafka, findJava, isVersion3 } from './distribution.js';
import { serverProperties, type BrokerLayout } from './properties.js';
import type { KafkaOptions, KafkaServer } from './types.js';

const START_MILLISECONDS = 90_000;

/**
 * Starts one Apache Kafka broker on 127.0.0.1, fetched with Maven when it is not in the cache. It is stopped by
 * `stop`, and by a watchdog when this process ends without having called it.
 *
 * @example
 * const kafka = await startKafka({ version: '3.9.2' });
 * const client = new Kafka({ brokers: [...kafka.brokers] });
 */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaServer> {
  const node = { nodeId: 1, controllerPort: await freePort() };
  return await startNode(options, { ...node, cluster: newClusterId(), voters: [node] });
}

/** What a process is in its cluster. */
export interface NodePlace {
  readonly nodeId: number;
  readonly controllerPort: number;
  readonly cluster: string;
  /** Every process of the cluster, this one too: all of them are controllers. */
  readonly voters: BrokerLayout['voters'];
}

/** Starts one process of a cluster. It is ready when most of the others are there. */
export async function startNode(options: KafkaOptions, place: NodePlace): Promise<KafkaServer> {
  const version = options.version ?? defaultVersion;
  const java = findJava();
  if (java === undefined) throw new ServiceError('EOS_SERVICE_UNAVAILABLE', 'java is not on the search path');
  const home = await fetchKafka(version);
  const directory = await mkdtemp(join(tmpdir(), 'eos-kafka-'));
  const release = guard({ signal: 'SIGTERM', remove: [directory] });
  const removeFiles = async (): Promise<void> => {
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    release();
  };
  try {
    const broker: Broker = { version, java, classPath: join(home, 'lib', '*'), directory };
    const port = options.port ?? (await freePort());
    await format(broker, port, options, place);
    const run = (): Promise<ManagedProcess> => runBroker(broker);
    const controls = controlProcess(run, await run());
    const logFile = logFileOf(broker);
    const stop = async (): Promise<void> => {
      // Data that will be removed needs no orderly end.
      await controls.kill();
      await removeFiles();
    };
    return { ...controls, brokers: [`127.0.0.1:${port}`], version, directory, logFile, stop };
  } catch (error) {
    await removeFiles();
    throw error;
  }
}

interface Broker {
  readonly version: string;
  readonly java: string;
  readonly classPath: string;
  readonly directory: string;
}

const propertiesFile = ({ directory }: Broker): string => join(directory, 'server.properties');
const logFileOf = ({ directory }: Broker): string => join(directory, 'server.log');

/** What each start of Java gets: a short start matters more than the best code. */
function javaArguments({ version, classPath }: Broker): string[] {
  const logging = isVersion3(version)
    ? `-Dlog4j.configuration=${pathToFileURL(assetFile('log4j.properties')).href}`
    : `-Dlog4j2.configurationFile=${pathToFileURL(assetFile('log4j2.properties')).href}`;
  return [
    '-Xmx384m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-Xshare:auto',
    logging,
    '-cp',
    classPath,
  ];
}

/** With a hyphen at its beginning it would be taken for an option. */
export const newClusterId = (): string => randomBytes(16).toString('base64url').replace(/^-/, 'A');

async function format(
  broker: Broker,
  port: number,
  { listeners = [], settings = {} }: KafkaOptions,
  { cluster, nodeId, controllerPort, voters }: NodePlace,
): Promise<void> {
  const layout = { nodeId, voters, port, controllerPort, listeners };
  const logDirectory = join(broker.directory, 'data');
  await writeFile(propertiesFile(broker), serverProperties({ ...layout, logDirectory }, settings));
  const parameters = ['kafka.tools.StorageTool', 'format', '-t', cluster, '-c', propertiesFile(broker)];
  await fetchWith(broker.java, [...javaArguments(broker), ...parameters]);
}

async function runBroker(broker: Broker): Promise<ManagedProcess> {
  const logFile = logFileOf(broker);
  const written = await sizeOf(logFile);
  const server = await launch({
    command: broker.java,
    arguments: [...javaArguments(broker), 'kafka.Kafka', propertiesFile(broker)],
    directory: broker.directory,
    logFile,
    orphanSignal: 'SIGKILL',
  });
  try {
    await untilReady(server, () => logSays(logFile, written, 'Kafka Server started'), START_MILLISECONDS);
    return server;
  } catch (error) {
    server.signal('SIGKILL');
    await server.ended(START_MILLISECONDS);
    throw error;
  }
}

/** Whether the log has the text behind `offset`, where this run of the broker began to write: after a crash it may say much before. */
async function logSays(logFile: string, offset: number, text: string): Promise<boolean> {
  const file = await open(logFile);
  try {
    const buffer = Buffer.alloc(LOG_CHUNK_BYTES);
    for (let position = offset; ; position += buffer.length - text.length) {
      const { bytesRead } = await file.read({ buffer, position });
      if (buffer.toString('utf8', 0, bytesRead).includes(text)) return true;
      if (bytesRead < buffer.length) return false;
    }
  } finally {
    await file.close();
  }
}

const LOG_CHUNK_BYTES = 1024 * 1024;

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return 0;
    throw error;
  }
}
