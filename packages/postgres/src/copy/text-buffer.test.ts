import { describe, expect, test } from '@jest/globals';
import { HEAD_BYTES, recycle, TextBuffer } from './text-buffer.js';

const filled = (text: string, room?: number): Buffer => {
  const buffer = room === undefined ? new TextBuffer() : new TextBuffer(room);
  buffer.add(text);
  return buffer.take();
};
const textOf = (block: Buffer) => block.toString('utf8', HEAD_BYTES);

describe('blocks that are given back', () => {
  test('are filled again, whole, and show nothing of before', () => {
    const first = filled('a'.repeat(10));
    recycle(first);
    const second = filled('ü'.repeat(20_000));
    expect(second.buffer).toBe(first.buffer);
    expect(textOf(second)).toBe('ü'.repeat(20_000));
    recycle(second);
    const third = filled('b');
    expect([third.buffer === first.buffer, textOf(third)]).toEqual([true, 'b']);
  });

  test('are handed out once', () => {
    recycle(filled('a'));
    const blocks = [filled('b'), filled('c')] as const;
    expect(blocks[0].buffer).not.toBe(blocks[1].buffer);
    expect(blocks.map(textOf)).toEqual(['b', 'c']);
  });

  test('are left alone where they are of another size', () => {
    const others = [filled('x'.repeat(100_000)), filled('small', 64), Buffer.from('of somebody else')];
    for (const other of others) recycle(other);
    const memory = new Set(others.map(({ buffer }) => buffer));
    for (let count = 0; count < 3; count += 1) expect(memory.has(filled('y').buffer)).toBe(false);
  });
});
