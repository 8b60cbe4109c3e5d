/** The line that moves: a bar where it is known how much there is, in a terminal; a line now and then elsewhere. */
import { SingleBar } from 'cli-progress';
import type { Output } from '../command.js';

export type BarStream = Output;

export interface Bar {
  /** @param fraction how much is done, 0 to 1; undefined where that is not known */
  show(text: string, fraction: number | undefined): void;
  /** Leaves the line as it is and gives the cursor back. */
  stop(): void;
}

/** Where nobody looks at a moving line, one is written this often. */
const LINE_EVERY_MS = 10_000;

export function openBar(stream: BarStream): Bar {
  return isTerminal(stream) ? barOn(stream) : linesOn(stream);
}

/** A terminal is a stream of Node's: nothing else says that it is one. */
function isTerminal(stream: BarStream): stream is NodeJS.WriteStream {
  return stream.isTTY === true;
}

function barOn(stream: NodeJS.WriteStream): Bar {
  let fraction: number | undefined;
  const barText = (progress: number) =>
    fraction === undefined ? '' : `${block(progress)} ${String(Math.floor(progress * 100)).padStart(3)} %  `;
  const bar = new SingleBar({
    stream,
    format: '{bar}{text}',
    formatBar: barText,
    gracefulExit: false,
    hideCursor: true,
    linewrap: false,
    emptyOnZero: true,
  });
  bar.start(1, 0, { text: '' });
  return {
    show(text, done) {
      fraction = done;
      bar.update(done ?? 0, { text });
    },
    stop: () => bar.stop(),
  };
}

const WIDTH = 20;

function block(progress: number): string {
  const full = Math.round(progress * WIDTH);
  return '█'.repeat(full) + '░'.repeat(WIDTH - full);
}

function linesOn(stream: BarStream): Bar {
  let last = performance.now();
  return {
    show(text) {
      const now = performance.now();
      if (now - last < LINE_EVERY_MS) return;
      last = now;
      stream.write(`${text}\n`);
    },
    stop: () => undefined,
  };
}
