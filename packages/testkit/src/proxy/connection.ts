import type { Socket } from 'node:net';
import type { Direction, FaultAction, FaultList } from './faults.js';
import { Lane } from './lane.js';

/** What went over a connection, or over all connections of a proxy. */
export interface LinkStatistics {
  /** Bytes from client to server. */
  readonly requestBytes: number;
  /** Bytes from server to client. */
  readonly answerBytes: number;
  /** How often the direction turned from request to answer: what a commit costs on a slow link. */
  readonly roundTrips: number;
}

/** A client's connection through the proxy. */
export interface ProxyConnection {
  /** Counts the connections of the proxy, from 1. */
  readonly id: number;
  readonly isOpen: boolean;
  readonly statistics: LinkStatistics;
  /** Keeps what arrives from now on, in one direction or both: a frozen link. */
  hold(direction?: Direction): void;
  /** Swallows what arrives from now on, the end of the stream too: a half-open link. */
  drop(direction?: Direction): void;
  /** Passes on what was held. Resolves when the server has answered a held request, or after five seconds. */
  release(direction?: Direction): Promise<void>;
  /** Resets both sides. */
  cut(): void;
}

const MAX_ANSWER_MS = 5_000;

/** Two sockets and what lies between them. */
export class Link implements ProxyConnection {
  #roundTrips = 0;
  #lastDirection: Direction = 'answer';
  #isOpen = true;
  #isStranded = false;
  readonly #requests: Lane;
  readonly #answers: Lane;
  /** Called at the next answer, or at the end of the server's side. */
  readonly #onAnswer = new Set<() => void>();

  constructor(
    readonly id: number,
    private readonly client: Socket,
    private readonly server: Socket,
    private readonly faults: FaultList,
    latencyMs: () => number,
    onClose: () => void,
  ) {
    // The whole round trip is spent on the way back: nobody can tell, and bulk data on the way there needs no buffer.
    this.#requests = new Lane(client, server, () => 0);
    this.#answers = new Lane(server, client, latencyMs);
    this.#wire('request', client, server, this.#requests, onClose);
    this.#wire('answer', server, client, this.#answers, onClose);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get statistics(): LinkStatistics {
    return {
      requestBytes: this.#requests.bytes,
      answerBytes: this.#answers.bytes,
      roundTrips: this.#roundTrips,
    };
  }

  hold(direction?: Direction): void {
    for (const lane of this.#lanes(direction)) lane.hold();
  }

  drop(direction?: Direction): void {
    for (const lane of this.#lanes(direction)) lane.drop();
  }

  async release(direction?: Direction): Promise<void> {
    const answered = this.#requests.mode === 'hold' && direction !== 'answer' ? this.#answered() : undefined;
    for (const lane of this.#lanes(direction)) lane.release();
    await answered;
    // The client of a stranded link is gone: what is left is the server's side.
    if (this.#isStranded) this.server.end();
  }

  cut(): void {
    this.#requests.stop();
    this.#answers.stop();
    reset(this.client);
    reset(this.server);
  }

  #lanes(direction: Direction | undefined): Lane[] {
    if (direction === 'request') return [this.#requests];
    return direction === 'answer' ? [this.#answers] : [this.#requests, this.#answers];
  }

  #wire(direction: Direction, from: Socket, to: Socket, lane: Lane, onClose: () => void): void {
    from.on('data', (chunk: Buffer) => {
      lane.bytes += chunk.length;
      if (this.#lastDirection !== direction) this.#turned(direction);
      if (direction === 'answer' && this.#onAnswer.size > 0) this.#tellAnswered();
      if (this.faults.isEmpty || !this.#struck(direction, lane, chunk)) lane.push(chunk);
    });
    from.on('end', () => {
      lane.push(undefined);
      if (direction === 'answer') this.#tellAnswered();
    });
    from.on('error', () => undefined);
    from.on('close', (failed) => {
      if (direction === 'answer') this.#tellAnswered();
      // Across a held, dropped or stranded link the other side learns nothing of the end.
      if (failed && lane.mode === 'pass' && !this.#isStranded) reset(to);
      if (!this.client.destroyed || !this.server.destroyed) return;
      this.#isOpen = false;
      onClose();
    });
  }

  #turned(direction: Direction): void {
    this.#lastDirection = direction;
    if (direction === 'answer') this.#roundTrips++;
  }

  /** True where a fault took the chunk. */
  #struck(direction: Direction, lane: Lane, chunk: Buffer): boolean {
    const strike = this.faults.meet(direction, this, chunk);
    if (strike === undefined || strike.fault.do === 'pass') return false;
    if (strike.passes > 0) lane.push(chunk.subarray(0, strike.passes));
    this.#act(strike.fault.do, lane, chunk.subarray(strike.passes));
    return true;
  }

  #act(action: Exclude<FaultAction, 'pass'>, lane: Lane, rest: Buffer): void {
    switch (action) {
      case 'cut':
        // What passed before the cut shall arrive: the sockets end at the next turn of the event loop.
        lane.drop();
        setImmediate(() => this.cut());
        return;
      case 'drop':
        lane.drop();
        return;
      case 'hold':
        lane.hold();
        lane.push(rest);
        return;
      case 'strand':
        this.#isStranded = true;
        lane.hold();
        lane.push(rest);
        this.#answers.drop();
        reset(this.client);
        return;
    }
  }

  #answered(): Promise<void> {
    return new Promise((resolve) => {
      const settle = () => {
        clearTimeout(timer);
        this.#onAnswer.delete(settle);
        resolve();
      };
      const timer = setTimeout(settle, MAX_ANSWER_MS);
      this.#onAnswer.add(settle);
      // One that has said goodbye says no more, and a socket whose end was read does not tell that it was reset.
      if (this.server.destroyed || this.server.readableEnded) settle();
    });
  }

  #tellAnswered(): void {
    for (const settle of this.#onAnswer) settle();
  }
}

/** Ends a socket with RST. One that has begun to say goodbye cannot be reset any more, and would stay open if it were tried. */
function reset(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
