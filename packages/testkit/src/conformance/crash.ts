import { setTimeout as delay } from 'node:timers/promises';
import { spawnWriter } from '../child/spawn-writer.js';
import { runScript, scriptChanges, type ChangelogScript } from '../child/writer-script.js';
import { CRASH_POINTS, withCrashPoints, type CrashPoint } from '../crash/crash-points.js';
import type { Stop } from '../crash/stops.js';
import { expectedRows } from '../oracle/expected-rows.js';
import type { Suite } from './suite.js';
import { failureOf, type World } from './world.js';

const DRAWS = 60;
const CHANGES_PER_COMMIT = 15;

/**
 * A process is killed before and after every step of the port, and another one goes on. Where nothing outlives the process, the
 * writer is abandoned there instead, with everything open.
 */
export function crashes({ group, test, seed }: Suite): void {
  group('crash', () => {
    for (const point of CRASH_POINTS) {
      test(`at ${point}: nothing is lost, nothing doubled (seed ${seed})`, async (world) => {
        // The second transaction, so that there is something to come back to.
        const stop: Stop = { point, count: point.startsWith('recover') ? 1 : 2 };
        const script = scriptOf(world, seed);
        await crashAt(world, script, stop);
        await expectWholeCommits(world, script, stop);
        await runScript(world.destination.connector('direct'), script);
        await expectChanges(world, script, scriptChanges(script).length);
      });
    }

    test(`again and again, at every place in turn: nothing is lost, nothing doubled (seed ${seed})`, async (world) => {
      const script = scriptOf(world, seed);
      const places: readonly CrashPoint[] = [
        'write:between',
        'prepare:after',
        'commit:during',
        'commit:after',
      ];
      for (const point of places) await crashAt(world, script, { point, count: 1 });
      await runScript(world.destination.connector('direct'), script);
      await expectChanges(world, script, scriptChanges(script).length);
    });
  });
}

function scriptOf({ capabilities }: World, seed: number): ChangelogScript {
  const { changelog } = capabilities;
  return { kind: 'changelog', changelog, seed, draws: DRAWS, changesPerCommit: CHANGES_PER_COMMIT };
}

export async function crashAt(world: World, script: ChangelogScript, stopAt: Stop): Promise<void> {
  const { child } = world.destination;
  if (child === undefined) {
    await abandonAt(world, script, stopAt);
    return;
  }
  const writer = spawnWriter({ ...child, script, stopAt });
  try {
    await writer.stopped;
  } finally {
    await writer.kill();
  }
}

/** Stands still at the stop for good: nothing is closed, nothing rolled back. */
async function abandonAt(world: World, script: ChangelogScript, { point, count }: Stop): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const stopping = withCrashPoints(world.destination.connector('direct'), async (reached, times) => {
      if (reached !== point || times !== count) return;
      resolve();
      await new Promise(() => undefined);
    });
    void failureOf(runScript(stopping, script)).then((failure) =>
      reject(new Error(`the script ended before ${point}#${count}`, { cause: failure })),
    );
  });
  // What it had set going may still arrive.
  await delay(10);
}

/** What is visible after the crash is what the position says, and the position is at the end of a commit. */
async function expectWholeCommits(world: World, script: ChangelogScript, { point }: Stop): Promise<void> {
  const session = await world.claim();
  const offset = Number(session.positions.get('0')?.offset ?? 0n);
  await expectChanges(world, script, offset);
  const steps = offset / CHANGES_PER_COMMIT;
  world.expect({ point, steps }).toEqual({ point, steps: expectedCommits(point, steps) });
}

/** How many commits had been made; while one is under way, either is right. */
function expectedCommits(point: CrashPoint, found: number): number {
  if (point.startsWith('recover')) return 0;
  if (point === 'commit:after') return 2;
  return point === 'commit:during' && found === 2 ? 2 : 1;
}

async function expectChanges(world: World, script: ChangelogScript, count: number): Promise<void> {
  const { changelog, key } = world.capabilities;
  const changes = scriptChanges(script).slice(0, count);
  await world.expectRows(expectedRows({ changelog, ...(key === undefined ? {} : { key }) }, changes));
}
