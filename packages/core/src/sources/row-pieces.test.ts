import { describe, expect, test } from '@jest/globals';
import { RowPieces } from './row-pieces.js';

async function* pieces(signal: AbortSignal, ended: string[] = []) {
  try {
    yield { rows: [1, 2, 3] };
    yield { rows: [4] };
    await new Promise((resolve) => {
      signal.addEventListener('abort', resolve);
    });
  } finally {
    ended.push('ended');
  }
}

describe('rows of pieces', () => {
  test('are taken in order, none twice, and never those of two pieces at once', async () => {
    const reader = new RowPieces(async function* () {
      yield { rows: [1, 2, 3] };
      yield { rows: [4] };
    }, new AbortController().signal);
    const taken = [];
    for (let next = await reader.take(2); next !== undefined; next = await reader.take(2))
      taken.push([next.piece.rows.slice(next.from, next.to), next.isEmptied]);
    expect(taken).toEqual([
      [[1, 2], false],
      [[3], true],
      [[4], true],
    ]);
  });

  test('that never come are waited for until a signal, and the generator ends with close', async () => {
    const stop = new AbortController();
    const ended: string[] = [];
    const reader = new RowPieces((signal) => pieces(signal, ended), stop.signal);
    await reader.take(10);
    await reader.take(10);
    const waiting = reader.take(10);
    stop.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'EOS_ABORTED' });
    reader.close();
    await expect(reader.take(1)).rejects.toMatchObject({ code: 'EOS_ABORTED' });
    await new Promise((resolve) => setImmediate(resolve));
    expect(ended).toEqual(['ended']);
  });

  test('keep the failure of their generator', async () => {
    const reader = new RowPieces(
      // eslint-disable-next-line require-yield -- it fails before
      async function* (): AsyncGenerator<{ rows: number[] }, void> {
        throw new Error('the disk is gone');
      },
      new AbortController().signal,
    );
    await expect(reader.take(1)).rejects.toThrow('the disk is gone');
  });
});
