import type { Socket } from 'node:net';

/** What happens to the bytes of one direction: passed on, kept for later, or swallowed. */
export type LaneMode = 'pass' | 'hold' | 'drop';

/** A link that is held stops reading here, as a frozen one would: the sender's own buffers fill up next. */
const MAX_HELD_BYTES = 1 << 20;

/** One direction of one connection. */
export class Lane {
  /** Bytes that arrived from the sender, whatever became of them. */
  bytes = 0;
  #mode: LaneMode = 'pass';
  #heldBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  /** Chunks that wait for their time or for `release`, oldest first; undefined stands for the end of the stream. */
  #queue: { readonly chunk: Buffer | undefined; readonly due: number }[] = [];

  constructor(
    private readonly from: Socket,
    private readonly to: Socket,
    /** How long a chunk that arrives now is under way. */
    private readonly delayMs: () => number,
  ) {
    to.on('drain', () => {
      if (this.#heldBytes < MAX_HELD_BYTES) from.resume();
    });
  }

  get mode(): LaneMode {
    return this.#mode;
  }

  /** Takes what the sender sent; undefined: it sends no more. */
  push(chunk: Buffer | undefined): void {
    if (this.#mode === 'drop') return;
    const delay = this.delayMs();
    if (this.#mode === 'pass' && delay === 0 && this.#queue.length === 0) {
      this.#send(chunk);
      return;
    }
    this.#queue.push({ chunk, due: delay === 0 ? 0 : performance.now() + delay });
    if (this.#mode === 'pass') this.#schedule();
    else this.#hold(chunk);
  }

  /** From now on, keeps what arrives. What was under way already counts as arrived. */
  hold(): void {
    this.#flush(Infinity);
    this.#mode = 'hold';
  }

  /** Passes on what was held, and everything from now on. */
  release(): void {
    if (this.#mode !== 'hold') return;
    this.#mode = 'pass';
    this.#heldBytes = 0;
    this.#flush(Infinity);
    this.from.resume();
  }

  /** Swallows what was held, and everything from now on, the end of the stream too. What was under way arrives. */
  drop(): void {
    if (this.#mode === 'pass') this.#flush(Infinity);
    this.#mode = 'drop';
    this.stop();
    this.#heldBytes = 0;
    this.from.resume();
  }

  /** Forgets what is under way. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#queue = [];
  }

  #hold(chunk: Buffer | undefined): void {
    this.#heldBytes += chunk?.length ?? 0;
    if (this.#heldBytes >= MAX_HELD_BYTES) this.from.pause();
  }

  #send(chunk: Buffer | undefined): void {
    if (this.to.destroyed) return;
    if (chunk === undefined) this.to.end();
    else if (!this.to.write(chunk)) this.from.pause();
  }

  #flush(now: number): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const ready = this.#queue.findIndex((entry) => entry.due > now);
    const sent = this.#queue.splice(0, ready === -1 ? this.#queue.length : ready);
    for (const entry of sent) this.#send(entry.chunk);
  }

  #schedule(): void {
    const [first] = this.#queue;
    if (first === undefined || this.#timer !== undefined) return;
    // Timers count whole milliseconds: rounded up, so that the link is never faster than asked for.
    this.#timer = setTimeout(
      () => {
        this.#flush(performance.now());
        this.#schedule();
      },
      Math.max(0, Math.ceil(first.due - performance.now())),
    );
  }
}
