/** Rows that are encoded before their COPY may start: they wait here until what the session does on its other connection is done. */
import { startCopy, HIGH_WATER, type CopyIn } from './copy-stream.js';
import type { Link } from '../connection/connection.js';

/**
 * Starts `statements`, of which one is a COPY FROM STDIN, on an idle connection: at once, or when `after` is resolved. Where that
 * rejects, so does every call here. Until then no more than `HIGH_WATER` bytes and a block are kept.
 */
export function queueCopy(link: Link, statements: string, after: Promise<void> | undefined): CopyIn {
  return after === undefined ? startCopy(link, statements) : laterCopy(link, statements, after);
}

function laterCopy(link: Link, statements: string, after: Promise<void>): CopyIn {
  let copy: CopyIn | undefined;
  let isAbandoned = false;
  let queue: Buffer[] = [];
  let bytes = 0;
  const started = after.then(() => {
    if (!isAbandoned) copy = startWith(link, statements, queue);
    queue = [];
  });
  // It is told by the next call; there may be none.
  started.catch(nothing);

  return {
    send(lines) {
      if (copy !== undefined) return copy.send(lines);
      queue.push(lines);
      bytes += lines.length;
      return bytes > HIGH_WATER ? started : undefined;
    },
    async finish(lines, following) {
      await started;
      await copy?.finish(lines, following);
    },
    async abandon() {
      isAbandoned = true;
      await copy?.abandon();
    },
  };
}

function startWith(link: Link, statements: string, queue: readonly Buffer[]): CopyIn {
  const copy = startCopy(link, statements);
  // What comes back of a block that fails is told by the next one, and by the end.
  for (const lines of queue) copy.send(lines)?.catch(nothing);
  return copy;
}

function nothing(): void {
  // It is told elsewhere.
}
