import { describe, expect, test } from '@jest/globals';
import { interleave, type Side } from './interleave.js';

function sides(names: readonly string[], log: string[]): Side<number>[] {
  return names.map((name) => ({ name, run: async () => log.push(name) }));
}

describe('interleave', () => {
  test('warms up each side once, then takes turns in going first', async () => {
    const log: string[] = [];
    await interleave(sides(['ours', 'baseline'], log), { runs: 3 });
    expect(log.join(' ')).toBe('ours baseline ours baseline baseline ours ours baseline');
  });

  test('with three sides each goes first as often', async () => {
    const log: string[] = [];
    await interleave(sides(['a', 'b', 'c'], log), { runs: 3 });
    expect(log.slice(3).join('')).toBe('abcbcacab');
  });

  test('leaves the warm-up out of the results', async () => {
    const log: string[] = [];
    const results = await interleave(sides(['ours', 'baseline'], log), { runs: 2 });
    expect([...results]).toEqual([
      ['ours', [3, 6]],
      ['baseline', [4, 5]],
    ]);
  });

  test('tells of each run that counts', async () => {
    const told: string[] = [];
    await interleave(sides(['ours'], []), { runs: 2, onRun: (side, run) => told.push(`${side} ${run}`) });
    expect(told).toEqual(['ours 1', 'ours 2']);
  });

  test('refuses sides that cannot be told apart', async () => {
    await expect(interleave(sides(['a', 'a'], []), { runs: 1 })).rejects.toThrow(TypeError);
  });

  test('a run that fails ends it', async () => {
    const failing = { name: 'ours', run: () => Promise.reject(new Error('lost rows')) };
    await expect(interleave([failing], { runs: 1 })).rejects.toThrow('lost rows');
  });
});
