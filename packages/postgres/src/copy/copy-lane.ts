/** Statements and COPYs on one connection, each sent without waiting for the answer to the one before. */
import {
  COPY_DATA,
  COPY_DONE,
  COPY_FAIL,
  COPY_FAIL_REASON,
  copyReply,
  message,
  type CopyReply,
} from './copy-stream.js';
import type { Link } from '../connection/connection.js';

export interface CopyLane {
  /** Sends statements; those of a COPY are followed by its lines. Resolves when they are carried out, to how many rows went in. */
  send(statements: string): Promise<number>;
  /** Sends whole lines of the COPY that was sent last, behind `HEAD_BYTES` free bytes. */
  lines(block: Buffer): void;
  /** Ends the lines of the COPY that was sent last. */
  end(): void;
  /** Gives the lines of the COPY that was sent last up: the server fails it. */
  fail(): void;
  /** Bytes that wait in this process. */
  readonly waiting: number;
  /** Resolves when fewer bytes wait, or an answer has come. */
  eased(): Promise<void>;
  /** Resolves with the next answer, whatever it says; there must be one to come. */
  answered(): Promise<void>;
  /** What `work` sends travels together. */
  together(work: () => void): void;
  /** Resolves when every answer has come, whatever it says. */
  idle(): Promise<void>;
}

/**
 * Takes an idle connection, until {@link CopyLane.idle}. After an error the server refuses what else was sent of the transaction, and
 * drops row data: https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-COPY
 */
export function openLane(link: Link): CopyLane {
  if (link.lost !== undefined) throw link.lost;
  const { client } = link;
  const { connection } = client;
  const { stream } = connection;
  const open = new Set<Promise<void>>();
  let last: CopyReply | undefined;

  return {
    send(statements) {
      const reply = copyReply(statements);
      connection.query(statements);
      // The client learns of a query when its turn to be answered has come.
      const sent = Object.assign(reply.query, { submit: () => undefined });
      if (last === undefined || last.isOver()) client.query(sent);
      else last.onOver(() => client.query(sent));
      last = reply;
      const answer = reply.untilOver().then(reply.copied);
      const settled = answer.then(ignore, ignore).finally(() => open.delete(settled));
      open.add(settled);
      return answer;
    },
    lines(block) {
      stream.write(message(COPY_DATA, block));
    },
    end() {
      stream.write(COPY_DONE);
    },
    fail() {
      stream.write(message(COPY_FAIL, COPY_FAIL_REASON));
    },
    get waiting() {
      return stream.writableLength;
    },
    eased: () =>
      link.bounded(
        new Promise<void>((resolve) => {
          const wake = () => {
            stream.off('drain', wake);
            resolve();
          };
          stream.once('drain', wake);
          if (last === undefined || last.isOver()) wake();
          else last.onOver(wake);
        }),
      ),
    answered: () => link.bounded(Promise.race(open)),
    together(work) {
      stream.cork();
      work();
      stream.uncork();
    },
    async idle() {
      while (open.size > 0) await link.bounded(Promise.race(open));
    },
  };
}

function ignore(): void {
  // It is told to whoever has sent it.
}
