/** COPY … TO STDOUT on a connection of `pg`, as blocks of whole lines. Memory: three blocks, and what the socket has read already. */
import type { Connection } from 'pg';
import { EosError } from '@eos/core';
import type { Link } from '../connection/connection.js';

const BLOCK_BYTES = 262_144;

/** Blocks that may wait for the caller before the server is made to wait. */
const WAITING_BLOCKS = 2;

const NEWLINE = 0x0a;

/**
 * Runs `statement`, a COPY TO STDOUT in text format, on an idle connection. A caller that leaves before the end gives the connection up.
 * @throws what the server answered, or why there was no answer
 */
export async function* copyOut(link: Link, statement: string): AsyncGenerator<Buffer> {
  if (link.lost !== undefined) throw link.lost;
  const { client } = link;
  const reply = new CopyOutReply(statement, () => client.connection.stream.pause());
  client.query(reply);
  if (!reply.isSubmitted) throw new EosError('EOS_CONFORMANCE', 'a COPY needs an idle connection');
  const onEnd = () => reply.handleError(link.lost ?? new Error('the connection was closed'));
  client.once('end', onEnd);
  try {
    for (;;) {
      const block = reply.take();
      if (block !== undefined) yield block;
      else if (reply.isOver) break;
      else {
        client.connection.stream.resume();
        await link.bounded(reply.untilMore());
      }
    }
  } finally {
    client.off('end', onEnd);
    if (!reply.isOver) link.destroy();
  }
}

/** The client's side of the answer: what `pg` calls for each message of it. */
class CopyOutReply {
  isSubmitted = false;
  isOver = false;
  #failure: Error | undefined;
  readonly #blocks: Buffer[] = [];
  #block = Buffer.allocUnsafe(BLOCK_BYTES);
  #filled = 0;
  #wake: (() => void) | undefined;

  constructor(
    private readonly statement: string,
    private readonly pause: () => void,
  ) {}

  /** The next block; undefined where there is none yet, or none any more. @throws what the server answered */
  take(): Buffer | undefined {
    const block = this.#blocks.shift();
    if (block !== undefined) return block;
    if (this.#failure !== undefined) throw this.#failure;
    if (!this.isOver || this.#filled === 0) return undefined;
    const rest = this.#block.subarray(0, this.#filled);
    this.#filled = 0;
    return rest;
  }

  /** Resolves when {@link take} has something new to say. */
  untilMore(): Promise<void> {
    return new Promise((resolve) => {
      if (this.isOver || this.#blocks.length > 0) resolve();
      else this.#wake = resolve;
    });
  }

  submit(connection: Connection): void {
    this.isSubmitted = true;
    connection.query(this.statement);
  }

  /** A row, as a rule; its bytes are the client's, to be used again. */
  handleCopyData({ chunk }: { readonly chunk: Buffer }): void {
    if (this.#filled + chunk.length > this.#block.length) this.#grow(chunk.length);
    chunk.copy(this.#block, this.#filled);
    this.#filled += chunk.length;
    // A message may hold any part of the text: only whole lines are handed on.
    if (this.#filled < BLOCK_BYTES || chunk[chunk.length - 1] !== NEWLINE) return;
    this.#blocks.push(this.#block.subarray(0, this.#filled));
    this.#block = Buffer.allocUnsafe(BLOCK_BYTES + BLOCK_BYTES / 8);
    this.#filled = 0;
    if (this.#blocks.length >= WAITING_BLOCKS) this.pause();
    this.#wakeUp();
  }

  handleError(error: Error): void {
    this.#failure ??= error;
    this.#end();
  }

  handleReadyForQuery(): void {
    this.#end();
  }

  handleCommandComplete(): void {
    // The end is what follows.
  }

  #end(): void {
    this.isOver = true;
    this.#wakeUp();
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafe(2 * this.#block.length + needed);
    this.#block.copy(larger, 0, 0, this.#filled);
    this.#block = larger;
  }
}
