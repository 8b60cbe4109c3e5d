/**
 * COPY … FROM STDIN on a connection of `pg`.
 *
 * Not `pg-copy-streams`: here BEGIN, COPY and what follows are one message, rows are sent behind it without waiting for the
 * server's go-ahead, and a further statement is sent right behind the end of the rows. So a COPY costs one round trip, at
 * its end, with the statement after it. The protocol allows this: after an error the server skips the rest of the message
 * and drops row data that still arrives. https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-COPY
 */
import type { Duplex } from 'node:stream';
import { EosError } from '@eos/core';
import { Query, type Connection } from 'pg';
import { answersOf, AS_TEXT, type Answer, type Link, type Result } from '../connection/connection.js';
import { HEAD_BYTES } from './text-buffer.js';

/** Bytes that may wait in this process: enough that the server never starves while rows are encoded. */
export const HIGH_WATER = 1_048_576;

/** Messages of the protocol: type, length of the rest, body. */
export const COPY_DATA = 0x64;
export const COPY_FAIL = 0x66;
export const COPY_FAIL_REASON = Buffer.from(`${'\0'.repeat(HEAD_BYTES)}the transaction is rolled back\0`);
export const COPY_DONE = Buffer.from([0x63, 0, 0, 0, 4]);

export interface CopyIn {
  /** Sends whole lines, behind `HEAD_BYTES` free bytes. Returns a promise where the caller has to wait before it sends more; it rejects where the COPY failed. */
  send(lines: Buffer): Promise<void> | undefined;
  /** Sends the last rows and `following`, and resolves when the server has carried out both. */
  finish(lines: Buffer | undefined, following?: string): Promise<void>;
  /** Gives the rows up: the server fails the COPY, and with it the transaction. Resolves when it has. */
  abandon(): Promise<void>;
}

/** One or more COPYs of a message, one after the other. */
export interface CopiesIn extends CopyIn {
  /** Sends the last rows of a COPY that has another one behind it. Waits as `send` does. */
  next(lines: Buffer | undefined): Promise<void> | undefined;
  /** Finishes, and resolves to the answers to `following`. */
  ask(lines: Buffer | undefined, following?: string): Promise<readonly Answer[]>;
  /** How many statements of the message the server has carried out. */
  readonly completed: number;
}

/**
 * Starts `statements`, of which one or more are a COPY FROM STDIN, on an idle connection.
 */
export function startCopy(link: Link, statements: string): CopiesIn {
  if (link.lost !== undefined) throw link.lost;
  const { client } = link;
  const reply = copyReply(statements);
  client.query(reply.query);
  if (!reply.isSubmitted()) throw new EosError('EOS_CONFORMANCE', 'a COPY needs an idle connection');
  // TLS has put another stream there since the client was made.
  const stream = client.connection.stream;
  let finishing: Promise<readonly Answer[]> | undefined;
  const untilRoom = () =>
    !reply.isOver() && stream.writableLength <= HIGH_WATER
      ? undefined
      : link.bounded(reply.untilOverOr(stream));
  const ask = async (lines: Buffer | undefined, following?: string) => {
    reply.check();
    stream.cork();
    if (lines !== undefined) stream.write(message(COPY_DATA, lines));
    stream.write(COPY_DONE);
    const after = following === undefined ? [] : sendBehind(link, following, reply);
    stream.uncork();
    return (finishing = link.bounded(both(reply.untilOver(), after)));
  };

  return {
    send(lines) {
      if (!reply.isOver()) stream.write(message(COPY_DATA, lines));
      return untilRoom();
    },
    next(lines) {
      if (reply.isOver()) return untilRoom();
      if (lines !== undefined) stream.write(message(COPY_DATA, lines));
      stream.write(COPY_DONE);
      return untilRoom();
    },
    get completed() {
      return reply.completed();
    },
    ask,
    async finish(lines, following) {
      await ask(lines, following);
    },
    async abandon() {
      if (finishing === undefined && !reply.isOver()) {
        stream.write(message(COPY_FAIL, COPY_FAIL_REASON));
      }
      await (finishing ?? link.bounded(reply.untilOver())).catch(nothing);
    },
  };
}

/** Waits for both answers: the connection is in use until the second one. The first failure is the cause of the other. */
async function both<T>(first: Promise<void>, second: T | Promise<T>): Promise<T> {
  await Promise.allSettled([first, second]);
  await first;
  return second;
}

/** Makes a message of a body that has room for its head. */
export function message(type: number, body: Buffer): Buffer {
  body[0] = type;
  body.writeUInt32BE(body.length - 1, 1);
  return body;
}

/**
 * Sends a statement right away, and puts it in the client's queue when its turn to be answered has come: the client knows of
 * one query at a time.
 */
function sendBehind({ client }: Link, text: string, reply: CopyReply): Promise<readonly Answer[]> {
  client.connection.query(text);
  return new Promise((resolve, reject) => {
    const query = new Query({ text, ...AS_TEXT }, (error: Error | null | undefined, result: Result) => {
      if (error === null || error === undefined) resolve(answersOf(result));
      else reject(error);
    });
    const sent = Object.assign(query, { submit: nothing });
    reply.onOver(() => client.query(sent));
  });
}

export type CopyReply = ReturnType<typeof copyReply>;

/** The client's side of the answer: what `pg` calls for each message of it, and who waits for its end. */
export function copyReply(statements: string) {
  let submitted = false;
  let completed = 0;
  let copied = 0;
  let over = false;
  let failure: Error | undefined;
  const waiting = new Set<() => void>();
  const end = () => {
    over = true;
    for (const wake of waiting) wake();
    waiting.clear();
  };
  const query = {
    submit(connection: Connection) {
      submitted = true;
      connection.query(statements);
    },
    handleError(error: Error) {
      failure ??= error;
      end();
    },
    handleReadyForQuery: end,
    handleCommandComplete: (message: unknown) => {
      completed += 1;
      copied += copiedRows(message);
    },
    handleCopyInResponse: nothing,
    handleRowDescription: nothing,
    handleDataRow: nothing,
    handleEmptyQuery: nothing,
  };
  const check = () => {
    if (failure !== undefined) throw failure;
  };
  /** Resolves when the server has ended the COPY or `stream` has drained, rejects when the COPY failed. */
  async function untilOverOr(stream?: Duplex): Promise<void> {
    await new Promise<void>((resolve) => {
      if (over) {
        resolve();
        return;
      }
      const wake = () => {
        waiting.delete(wake);
        stream?.off('drain', wake);
        resolve();
      };
      waiting.add(wake);
      stream?.once('drain', wake);
    });
    check();
  }
  return {
    query,
    check,
    isSubmitted: () => submitted,
    completed: () => completed,
    /** Rows that its COPYs have put in. */
    copied: () => copied,
    isOver: () => over,
    onOver: (wake: () => void) => void waiting.add(wake),
    untilOver: () => untilOverOr(),
    untilOverOr,
  };
}

/** Of a tag such as `COPY 5000`. */
function copiedRows(message: unknown): number {
  const tag: unknown =
    typeof message === 'object' && message !== null && 'text' in message ? message.text : '';
  return typeof tag === 'string' && tag.startsWith('COPY ') ? Number(tag.slice(5)) : 0;
}

function nothing(): void {
  // An answer that says nothing new.
}
