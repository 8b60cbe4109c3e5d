import { spawnWriter } from '../child/spawn-writer.js';
import { runScript, type LargeScript } from '../child/writer-script.js';
import type { ChildConnector } from './destination.js';
import type { Suite } from './suite.js';
import { positionOf, type Span, type World } from './world.js';

const PIPELINES = 4;
const COMMITS_OF_EACH = 2_500;

/** 200 MB of text in one transaction, in a process that may keep 64 MB of objects, and 220 MB of everything. */
const LARGE: LargeScript = { kind: 'large', rows: 200_000, bytes: 1_000 };
const HEAP_LIMIT = '--max-old-space-size=64';
const PEAK_LIMIT_BYTES = 220e6;

/** Many small transactions, and large ones. */
export function volume({ group, test }: Suite): void {
  group('volume', () => {
    test('ten thousand small commits leave the newest position, and no more than one', async (world) => {
      const pipelines = Array.from({ length: PIPELINES }, (_, index) => `pipeline-${index}`);
      await Promise.all(pipelines.map((pipeline, index) => commitOften(world, pipeline, index * 100_000)));
      for (const pipeline of pipelines) {
        const positions = await (await world.open({ pipeline })).positions();
        world.expect([...positions.keys()]).toEqual(['0']);
        world.expectPosition(positions, '0', { epoch: BigInt(COMMITS_OF_EACH) });
      }
      await world.expectSpans(
        ...pipelines.map((_, index): Span => [index * 100_000, index * 100_000 + COMMITS_OF_EACH]),
      );
    }, 300_000);

    test('a transaction of any size takes little memory, and is visible all at once', async (world) => {
      const { child } = world.destination;
      if (child === undefined) await commitLargeHere(world);
      else await commitLargeInChild(world, child);
    }, 120_000);

    test('batches of any size are taken', async (world) => {
      const session = await world.claim();
      let first = 0;
      for (const size of [1, 2, 999, 1, 5_000, 3]) {
        await world.commit(session, { '0': [first, first + size] });
        first += size;
      }
      await world.expectSpans([0, first]);
    });
  });
}

async function commitOften(world: World, pipeline: string, firstId: number): Promise<void> {
  const session = await world.claim(['0'], { pipeline });
  for (let count = 0; count < COMMITS_OF_EACH; count++) {
    await world.commit(session, { '0': [firstId + count, firstId + count + 1] });
  }
  const { epoch } = positionOf(session.positions, '0');
  world.expect(epoch).toEqual(BigInt(COMMITS_OF_EACH));
}

async function commitLargeInChild(world: World, child: ChildConnector): Promise<void> {
  const writer = spawnWriter({ ...child, script: LARGE, nodeOptions: [HEAP_LIMIT] });
  try {
    const { commits, peakBytes } = await writer.result;
    world.expect({ commits, peakMegabytes: peakBytes < PEAK_LIMIT_BYTES ? 'few' : peakBytes / 1e6 }).toEqual({
      commits: 1,
      peakMegabytes: 'few',
    });
  } finally {
    await writer.kill();
  }
  await expectLarge(world, LARGE);
}

/** A destination in this process holds it all by its nature: only the rows can be checked. */
async function commitLargeHere(world: World): Promise<void> {
  const script: LargeScript = { ...LARGE, rows: 50_000, bytes: 100 };
  await runScript(world.destination.connector('direct'), script);
  await expectLarge(world, script);
}

async function expectLarge(world: World, { rows, bytes }: LargeScript): Promise<void> {
  const found = await world.destination.rows();
  const ids = new Set(found.map(({ id }) => Number(id)));
  const isShort = found.some(({ name }) => typeof name !== 'string' || name.length !== bytes);
  world.expect({ rows: found.length, ids: ids.size, isShort }).toEqual({ rows, ids: rows, isShort: false });
  world.expectPosition(await (await world.open()).positions(), '0', { epoch: 1n, offset: BigInt(rows) });
}
