import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { Spill } from './spill.js';

describe('Spill', () => {
  test('gives back the records of each file in their order, larger than a block or not, and leaves nothing', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'eos-spill-'));
    try {
      const spill = new Spill(folder, 'test', 4);
      // From 0 to 3 MB: none, many in a block, and larger than what is read at a time.
      const lengths = [0, 1, 100, 65_532, 65_533, 3_000_000, 5, 0, ...Array<number>(3_000).fill(77)];
      const written: string[][] = [[], [], [], []];
      lengths.forEach((length, index) => {
        const record = Buffer.alloc(length, index % 251);
        const file = spill.file(index % 3);
        const at = file.reserve(length);
        record.copy(file.block, at);
        written[index % 3]?.push(record.toString('latin1'));
      });
      expect((await readdir(folder)).length).toBe(3);
      for (let index = 0; index < 4; index++) {
        // Twice: reading takes nothing away.
        for (let time = 0; time < 2; time++) {
          const read: string[] = [];
          spill.existing(index)?.read((bytes, start, end) => read.push(bytes.toString('latin1', start, end)));
          expect(read.length).toBe(written[index]?.length);
          expect(read.every((text, place) => text === written[index]?.[place])).toBe(true);
        }
      }
      spill.close();
      expect(await readdir(folder)).toEqual([]);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
