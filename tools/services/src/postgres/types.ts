/** Where to find one database, and as whom. */
export interface PostgresAddress {
  /** All of the below as one `postgresql://` URL. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** A database made for one test. */
export interface TestDatabase extends PostgresAddress {
  /** Removes it, with whatever connections it still has. To do so twice does no harm. */
  drop(): Promise<void>;
}

/** What every PostgreSQL offers to a test, also one that was already running. */
export interface PostgresService extends PostgresAddress {
  /** Such as `18.4`. */
  readonly version: string;
  /** Creates an empty database, with a random name unless one is given. */
  createDatabase(name?: string): Promise<TestDatabase>;
  /** Stops the server and removes what it stored; does nothing to a server that was already running. */
  stop(): Promise<void>;
}

/**
 * How to stop a PostgreSQL: `fast` ends sessions and writes a checkpoint; `immediate` is what a crash of the server
 * looks like, the next start recovers from the log.
 */
export type ShutdownMode = 'fast' | 'immediate';

/** A PostgreSQL of one's own: it may be stopped, crashed, frozen and copied. */
export interface PostgresServer extends PostgresService {
  /** The folder with the data (`data`), the log (`server.log`) and the password. */
  readonly directory: string;
  readonly logFile: string;
  /** Stops the server and keeps everything, until `start`. */
  halt(mode: ShutdownMode): Promise<void>;
  /** Starts it again on the same port, after `halt`. */
  start(): Promise<void>;
  /** `halt` and `start`. */
  restart(mode: ShutdownMode): Promise<void>;
  /** Stops all its processes where they are: connections stay open, nothing answers. Not on Windows. */
  freeze(): Promise<void>;
  /** Lets a frozen server go on. */
  thaw(): Promise<void>;
  /**
   * Copies the data while the server runs. The copy has every transaction committed before the call, and none that
   * begins after the promise is fulfilled. `startPostgres({ from: snapshot })` makes a server of it: a replica that
   * was promoted without the last commits, or a restored backup.
   */
  snapshot(): Promise<PostgresSnapshot>;
}

/** A copy of the data of a PostgreSQL. Any number of servers can be started from it. */
export interface PostgresSnapshot {
  readonly directory: string;
  readonly user: string;
  readonly password: string;
  /** The folder of binaries that the server ran with, when one was given. */
  readonly binaries: string | undefined;
  /** Removes the copy. */
  remove(): Promise<void>;
}

/** Options of `startPostgres`. */
export interface PostgresOptions {
  /** A port instead of any free one. */
  readonly port?: number;
  /** A folder with `initdb` and `postgres`, such as `/usr/lib/postgresql/15/bin`, instead of the version from npm. */
  readonly binaries?: string;
  /** Settings as in `postgresql.conf`. Unless given, all are the server's defaults; `fsync` is on. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>;
  /** Keeps the data in this folder, and uses what it already holds. Unless given, a temporary folder is removed by `stop`. */
  readonly directory?: string;
  /** Starts with the data of this snapshot instead of an empty database. */
  readonly from?: PostgresSnapshot;
  /** Further arguments of `initdb`, such as `--data-checksums` or a locale (`--locale=C` unless given). */
  readonly initdbArguments?: readonly string[];
}
