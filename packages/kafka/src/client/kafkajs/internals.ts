/**
 * The parts of KafkaJS below its public interface that hold a connection. KafkaJS publishes no way to send a request of one's own; its
 * files lie open (no `exports`), and 2.2.4 is its last version since 2023. What is used is checked here when it is loaded.
 */
import { createRequire } from 'node:module';
import { EosError } from '@eos/core';
import type { ISocketFactory, KafkaConfig, Logger } from 'kafkajs';

/** A connection of each kind of request to one broker. */
export interface ConnectionPool {
  send(request: ProtocolRequest): Promise<unknown>;
  destroy(): Promise<unknown>;
  map(callback: (connection: PooledConnection) => unknown): unknown;
}

export interface PooledConnection {
  rejectRequests(error: Error): void;
  readonly socket?: { destroy(): void };
}

export interface ProtocolRequest {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    encode(): Promise<Encoder>;
  };
  readonly response: {
    decode(payload: Buffer): Promise<Buffer>;
    parse(payload: Buffer): Promise<Buffer>;
  };
  readonly requestTimeout: number;
  readonly logResponseError: false;
}

export interface Encoder {
  writeBuffer(bytes: Buffer): Encoder;
}

/** Asks for the broker's versions, and authenticates. */
export interface Broker {
  connect(): Promise<void>;
}

export interface ConnectionPoolBuilder {
  build(address?: { readonly host: string; readonly port: number }): Promise<ConnectionPool>;
}

export type PoolOptions = Pick<
  KafkaConfig,
  | 'brokers'
  | 'ssl'
  | 'sasl'
  | 'clientId'
  | 'requestTimeout'
  | 'connectionTimeout'
  | 'reauthenticationThreshold'
> & { readonly logger: Logger; readonly socketFactory: ISocketFactory };

export interface KafkaJsInternals {
  readonly connectionPoolBuilder: (options: PoolOptions) => ConnectionPoolBuilder;
  readonly Broker: new (options: {
    readonly connectionPool: ConnectionPool;
    readonly logger: Logger;
    readonly authenticationTimeout?: number;
  }) => Broker;
  readonly Encoder: new () => Encoder;
  readonly defaultSocketFactory: () => ISocketFactory;
}

/** @throws EOS_CONFIG where another version of KafkaJS is installed than 2.2 */
export function kafkaJsInternals(): KafkaJsInternals {
  const load = createRequire(import.meta.url);
  const { version }: { readonly version: string } = parseVersion(load('kafkajs/package.json'));
  if (!version.startsWith('2.2.'))
    throw new EosError('EOS_CONFIG', `kafkajs ${version} is installed; this package works with 2.2`);
  const loaded: Record<keyof KafkaJsInternals, unknown> = {
    connectionPoolBuilder: load('kafkajs/src/cluster/connectionPoolBuilder.js'),
    Broker: load('kafkajs/src/broker/index.js'),
    Encoder: load('kafkajs/src/protocol/encoder.js'),
    defaultSocketFactory: load('kafkajs/src/network/socketFactory.js'),
  };
  if (!areFunctions(loaded)) throw new EosError('EOS_CONFIG', `kafkajs ${version} is not as published`);
  return loaded;
}

function parseVersion(loaded: unknown): { readonly version: string } {
  const version: unknown =
    typeof loaded === 'object' && loaded !== null ? Reflect.get(loaded, 'version') : '';
  return { version: String(version) };
}

/** The version says the rest: these are the files of one release. */
function areFunctions(
  loaded: Record<keyof KafkaJsInternals, unknown>,
): loaded is KafkaJsInternals & typeof loaded {
  return Object.values(loaded).every((value) => typeof value === 'function');
}
