import { missingForKafka } from '../kafka/distribution.js';
import { startKafka } from '../kafka/server.js';
import type { KafkaServer, KafkaService } from '../kafka/types.js';
import { BINARIES, shippedPackage } from '../postgres/binaries.js';
import { parseAddress, withClient } from '../postgres/database.js';
import { databasePool } from '../postgres/database-pool.js';
import { startPostgres } from '../postgres/server.js';
import type { PostgresServer, PostgresService } from '../postgres/types.js';
import { missingForS3 } from '../s3/programs.js';
import { startS3 } from '../s3/server.js';
import type { S3Server, S3Service } from '../s3/types.js';
import { parseBrokers, parseS3, printS3 } from './addresses.js';

/** For each name: what any such service offers, and what one of one's own does. */
export interface ServiceTypes {
  readonly postgres: { readonly service: PostgresService; readonly server: PostgresServer };
  readonly kafka: { readonly service: KafkaService; readonly server: KafkaServer };
  readonly s3: { readonly service: S3Service; readonly server: S3Server };
}

/** The services that this package knows. */
export type ServiceName = keyof ServiceTypes;

/** How to come by one service. */
export interface ServiceDefinition<Name extends ServiceName> {
  /** The variable that holds the address of one that is running already. */
  readonly variable: string;
  /** The address as that variable has it. */
  readonly print: (service: ServiceTypes[Name]['service']) => string;
  /** The service at an address from that variable. */
  readonly connect: (address: string) => Promise<ServiceTypes[Name]['service']>;
  /** What this machine lacks to start one; looks only at files. */
  readonly missing: () => string | undefined;
  readonly start: (options: { port?: number }) => Promise<ServiceTypes[Name]['server']>;
  /** Starts one for tests that do not crash it, where that can be quicker. */
  readonly startShared?: () => Promise<ServiceTypes[Name]['service']>;
}

const stop = (): Promise<void> => Promise.resolve();

/** All of them. */
export const definitions: { readonly [Name in ServiceName]: ServiceDefinition<Name> } = {
  postgres: {
    variable: 'EOS_TEST_POSTGRES_URL',
    print: ({ url }) => url,
    async connect(url) {
      const address = parseAddress(url);
      const { rows } = await withClient(url, (client) =>
        client.query<{ server_version: string }>('SHOW server_version'),
      );
      const version = rows[0]?.server_version.split(' ')[0] ?? 'unknown';
      const { take, clear } = databasePool(address);
      // The server goes on; what was left on it for later does not.
      return { ...address, version, createDatabase: take, stop: clear };
    },
    missing: () =>
      process.env[BINARIES] === undefined && shippedPackage() === undefined
        ? 'the PostgreSQL binaries from npm are not installed'
        : undefined,
    start: startPostgres,
    // What is synced to disk outlives a power cut, and nothing less than that needs it.
    startShared: () => startPostgres({ settings: { fsync: false } }),
  },
  kafka: {
    variable: 'EOS_TEST_KAFKA',
    print: ({ brokers }) => brokers.join(','),
    connect: (list) => Promise.resolve({ brokers: parseBrokers(list), stop }),
    missing: () => missingForKafka(),
    start: startKafka,
  },
  s3: {
    variable: 'EOS_TEST_S3',
    print: printS3,
    connect: (url) => Promise.resolve({ ...parseS3(url), directory: undefined, stop }),
    missing: () => missingForS3(),
    start: startS3,
  },
};

/** All names, in a fixed order. */
export const serviceNames: readonly ServiceName[] = ['postgres', 'kafka', 's3'];

/** A server, and how its address is handed to other programs. */
export interface StartedByName<Name extends ServiceName> {
  readonly server: ServiceTypes[Name]['server'];
  readonly variable: string;
  readonly address: string;
}

/** Starts a server, whatever the environment says. */
export async function startByName<Name extends ServiceName>(
  name: Name,
  options: { port?: number },
): Promise<StartedByName<Name>> {
  const { variable, print, start } = definitions[name];
  const server = await start(options);
  return { server, variable, address: print(server) };
}
