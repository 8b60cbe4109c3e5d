import type { ProxyConnection } from './connection.js';

/** `request`: from the client to the server. `answer`: from the server to the client. */
export type Direction = 'request' | 'answer';

/**
 * What a fault does to the chunk that it strikes, and to the connection from there on.
 * - `pass`: nothing; to be told of the chunk, or to go on to `next`.
 * - `hold`: this chunk and all later ones of its direction wait until `release()`.
 * - `drop`: this chunk and all later ones of its direction are swallowed, without either side being told.
 * - `cut`: the chunk is lost and the connection reset, on both sides.
 * - `strand`: the client is reset at once; the server keeps its connection, and gets the chunk at `release()`: a request that
 *   the network delivers late, when its sender has long given up.
 */
export type FaultAction = 'pass' | 'hold' | 'drop' | 'cut' | 'strand';

/** What shall happen, once, to the first chunk that fits. */
export interface ProxyFault {
  readonly on: Direction;
  readonly do: FaultAction;
  /** Lets this many bytes of the direction pass first, and strikes between two bytes of a chunk if need be. Default 0. */
  readonly afterBytes?: number;
  /** Strikes only a chunk for which this is true. The chunk must not be kept or changed. Default: any. */
  readonly when?: (chunk: Buffer) => boolean;
  /** Strikes only this connection. Default: any. */
  readonly connection?: ProxyConnection;
  /** Armed on the same connection as soon as this one has struck, as in: pass a request, then cut its answer. */
  readonly next?: Omit<ProxyFault, 'connection'>;
}

/** A fault that waits for its chunk. */
export interface ArmedFault {
  /** Resolves with the connection when the fault (the last one of a `next` chain) has struck. Never rejects. */
  readonly struck: Promise<ProxyConnection>;
  /** Whether it has. */
  readonly hasStruck: boolean;
  /** Takes it back. What has struck stays as it is. */
  disarm(): void;
  /**
   * After `hold` and `strand`: passes on what was held. Resolves when the receiver has answered or ended the connection, after
   * five seconds at the latest.
   */
  release(): Promise<void>;
}

/** The fault that strikes a chunk, and how much of the chunk passes before. */
export interface Strike {
  readonly fault: ProxyFault;
  readonly passes: number;
}

/** The faults that wait, in the order in which they were armed. */
export class FaultList {
  readonly #waiting = new Set<WaitingFault>();

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  arm(fault: ProxyFault): ArmedFault {
    const { promise, resolve } = withResolver<ProxyConnection>();
    let struckOn: ProxyConnection | undefined;
    const onStruck = (connection: ProxyConnection) => {
      struckOn = connection;
      resolve(connection);
    };
    let current = this.#wait(fault, (next) => (current = next), onStruck);
    return {
      struck: promise,
      get hasStruck() {
        return struckOn !== undefined;
      },
      disarm: () => void this.#waiting.delete(current),
      release: async () => {
        this.#waiting.delete(current);
        await struckOn?.release();
      },
    };
  }

  /** The first waiting fault that this chunk meets; it waits no longer. */
  meet(direction: Direction, connection: ProxyConnection, chunk: Buffer): Strike | undefined {
    for (const waiting of this.#waiting) {
      const { fault } = waiting;
      if (fault.on !== direction || (fault.connection !== undefined && fault.connection !== connection))
        continue;
      if (waiting.passes >= chunk.length) {
        waiting.passes -= chunk.length;
        continue;
      }
      const { passes } = waiting;
      waiting.passes = 0;
      if (fault.when !== undefined && !fault.when(chunk)) continue;
      this.#waiting.delete(waiting);
      waiting.strike(connection);
      return { fault, passes };
    }
    return undefined;
  }

  #wait(
    fault: ProxyFault,
    onNext: (waiting: WaitingFault) => void,
    onStruck: (connection: ProxyConnection) => void,
  ): WaitingFault {
    const waiting: WaitingFault = {
      fault,
      passes: fault.afterBytes ?? 0,
      strike: (connection) => {
        if (fault.next === undefined) onStruck(connection);
        else onNext(this.#wait({ ...fault.next, connection }, onNext, onStruck));
      },
    };
    this.#waiting.add(waiting);
    return waiting;
  }
}

interface WaitingFault {
  readonly fault: ProxyFault;
  /** How many bytes pass before it may strike. */
  passes: number;
  readonly strike: (connection: ProxyConnection) => void;
}

function withResolver<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}
