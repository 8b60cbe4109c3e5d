/** Rows that go in by one COPY behind one savepoint, encoded, so that they can be sent again without one of them. */
import type { ChangeBatch } from '@eos/core';
import type { LeftOut } from './check-filter.js';
import { NEWLINE } from '../copy/copy-text.js';
import { HEAD_BYTES } from '../copy/text-buffer.js';

/** Consecutive rows of a batch, one line each. */
interface Run<Row> {
  readonly batch: ChangeBatch<Row>;
  readonly start: number;
  readonly count: number;
}

export class Segment<Row> {
  readonly blocks: Buffer[];
  /** Lines so far. */
  lines = 0;
  /** Whether no more rows come. */
  isWhole = false;
  /** How many blocks are sent; undefined: not even its COPY. */
  sent: number | undefined;
  /** Whether its end is sent. */
  isEnded = false;
  /** By what number the server tells of rows that it leaves out; undefined: it leaves none out. */
  number: number | undefined;
  /** The rows that the server has left out. */
  leftOut: LeftOut[] = [];
  readonly #runs: Run<Row>[];

  constructor(blocks: Buffer[] = [], runs: Run<Row>[] = []) {
    this.blocks = blocks;
    this.#runs = runs;
    for (const { count } of runs) this.lines += count;
  }

  /** The next `count` lines are the rows of `batch` from `start` on. */
  add(batch: ChangeBatch<Row>, start: number, count: number): void {
    if (count === 0) return;
    this.#runs.push({ batch, start, count });
    this.lines += count;
  }

  /** It has to be sent again. */
  unsend(): void {
    this.sent = undefined;
    this.isEnded = false;
    this.leftOut = [];
  }

  /** The row of a line, counted from 0. */
  find(line: number): { readonly batch: ChangeBatch<Row>; readonly index: number } | undefined {
    let left = line;
    for (const { batch, start, count } of this.#runs) {
      if (left < count) return { batch, index: start + left };
      left -= count;
    }
    return undefined;
  }

  /** What lies before a line, and what behind it. */
  without(line: number): readonly [before: Segment<Row>, behind: Segment<Row>] {
    const { before, behind } = cutBlocks(this.blocks, line);
    const first = new Segment(before, cutRuns(this.#runs, 0, line));
    const second = new Segment(behind, cutRuns(this.#runs, line + 1, this.lines));
    first.isWhole = true;
    second.isWhole = this.isWhole;
    return [first, second];
  }
}

function cutRuns<Row>(runs: readonly Run<Row>[], from: number, to: number): Run<Row>[] {
  let line = 0;
  return runs.flatMap(({ batch, start, count }) => {
    const [first, end] = [Math.max(from - line, 0), Math.min(to - line, count)];
    line += count;
    return first < end ? [{ batch, start: start + first, count: end - first }] : [];
  });
}

/** Blocks before and behind a line. What is cut out of a block is copied, since each needs room for its head. */
function cutBlocks(
  blocks: readonly Buffer[],
  line: number,
): { readonly before: Buffer[]; readonly behind: Buffer[] } {
  let left = line;
  for (const [index, block] of blocks.entries()) {
    const start = lineStart(block, left);
    if (typeof start === 'number') {
      const end = block.indexOf(NEWLINE, start) + 1;
      return {
        before: [...blocks.slice(0, index), ...piece(block, HEAD_BYTES, start)],
        behind: [...piece(block, end, block.length), ...blocks.slice(index + 1)],
      };
    }
    left -= start.lines;
  }
  return { before: [...blocks], behind: [] };
}

/** Where a line begins, or how many there are. */
function lineStart(block: Buffer, line: number): number | { readonly lines: number } {
  let start = HEAD_BYTES;
  for (let count = 0; start < block.length; count += 1) {
    if (count === line) return start;
    start = block.indexOf(NEWLINE, start) + 1;
    if (start === 0) return { lines: count };
  }
  return { lines: countLines(block) };
}

function countLines(block: Buffer): number {
  let count = 0;
  for (let at = block.indexOf(NEWLINE, HEAD_BYTES); at !== -1; at = block.indexOf(NEWLINE, at + 1))
    count += 1;
  return count;
}

function piece(block: Buffer, start: number, end: number): Buffer[] {
  if (start === end) return [];
  const copy = Buffer.allocUnsafe(HEAD_BYTES + end - start);
  block.copy(copy, HEAD_BYTES, start, end);
  return [copy];
}
