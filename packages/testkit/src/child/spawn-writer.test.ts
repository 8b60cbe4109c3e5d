import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { CRASH_POINTS } from '../crash/crash-points.js';
import type { Stop } from '../crash/stops.js';
import { spawnWriter, type WriterOptions } from './spawn-writer.js';

const module = new URL('../../testing/memory-child.mjs', import.meta.url);
const script = { kind: 'changelog', changelog: 'append', seed: 1, draws: 30, changesPerCommit: 10 } as const;
const options: WriterOptions = { module, options: { mode: 'append' }, script };

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('spawnWriter', () => {
  test('runs the script and tells what it came to', async () => {
    const writer = spawnWriter(options);
    const { commits, peakBytes } = await writer.result;
    expect({ commits, isPlausible: peakBytes > 20e6 && peakBytes < 500e6 }).toEqual({
      commits: 3,
      isPlausible: true,
    });
    expect(await writer.ended).toMatchObject({ code: 0, signal: null });
    await expect(writer.stopped).rejects.toThrow('before it reached a stop');
  });

  test('stops at every point until it is killed', async () => {
    const stops = CRASH_POINTS.map((point): Stop => ({ point, count: point.startsWith('recover') ? 1 : 3 }));
    for (const stopAt of stops) {
      const writer = spawnWriter({ ...options, stopAt });
      await writer.stopped;
      expect(isAlive(writer.pid)).toBe(true);
      await writer.kill();
      expect(isAlive(writer.pid)).toBe(false);
      expect((await writer.ended).signal).toBe('SIGKILL');
      await expect(writer.result).rejects.toThrow('SIGKILL');
    }
  }, 300_000);

  test('goes on when it is resumed', async () => {
    const writer = spawnWriter({ ...options, stopAt: { point: 'commit:before', count: 2 } });
    await writer.stopped;
    writer.resume();
    expect((await writer.result).commits).toBe(3);
  });

  test('stands still while it is frozen', async () => {
    const writer = spawnWriter({ ...options, stopAt: { point: 'commit:before', count: 2 } });
    await writer.stopped;
    writer.freeze();
    writer.resume();
    const first = await Promise.race([writer.ended.then(() => 'ended'), delay(300, 'frozen')]);
    expect(first).toBe('frozen');
    writer.thaw();
    expect((await writer.result).commits).toBe(3);
  });

  test('tells why a module is none, and why it failed', async () => {
    const failing = spawnWriter({ ...options, options: { failure: 'no such table' } });
    await expect(failing.result).rejects.toThrow('no such table');
    const missing = spawnWriter({ ...options, module: new URL('missing.mjs', module) });
    await expect(missing.result).rejects.toThrow('missing.mjs');
    const other = spawnWriter({ ...options, module: new URL('data:text/javascript,export%20const%20x=1') });
    await expect(other.result).rejects.toThrow('must export a function connector(options)');
  });

  test('the heap of the child can be bounded', async () => {
    const large = { kind: 'large', rows: 200_000, bytes: 1_000 } as const;
    const writer = spawnWriter({ ...options, script: large, nodeOptions: ['--max-old-space-size=64'] });
    // The memory sink keeps it all.
    await expect(writer.result).rejects.toThrow(/heap|SIGABRT/);
  }, 300_000);
});
