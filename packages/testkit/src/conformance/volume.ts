import { spawnWriter } from '../child/spawn-writer.js';
import { runScript, type LargeScript } from '../child/writer-script.js';
import type { ChildConnector } from './destination.js';
import type { Suite } from './suite.js';
import { positionOf, type Span, type World } from './world.js';

const PIPELINES = 4;
const COMMITS_OF_EACH = 2_500;
/**
 * What a destination must take of them, however long it needs. Beyond that, one that waits for a disk or a broker at each commit is stopped
 * after a while, so that the suite can be run often: `EOS_TEST_SLOW=1` makes it take all ten thousand.
 */
const LEAST_COMMITS_OF_EACH = 250;
const SMALL_COMMITS_MS = process.env['EOS_TEST_SLOW'] === '1' ? Infinity : 5_000;

/** 200 MB of text in one transaction, in a process that may keep 64 MB of objects, and 220 MB of everything. */
const LARGE: LargeScript = { kind: 'large', rows: 200_000, bytes: 1_000 };
const HEAP_LIMIT = '--max-old-space-size=64';
const PEAK_LIMIT_BYTES = 220e6;

/** Many small transactions, and large ones. */
export function volume({ group, test }: Suite): void {
  group('volume', () => {
    const most = SMALL_COMMITS_MS === Infinity ? '' : ', or as many as 5 s allow,';
    test(`ten thousand small commits${most} leave the newest position, and no more than one`, async (world) => {
      const end = performance.now() + SMALL_COMMITS_MS;
      const pipelines = Array.from({ length: PIPELINES }, (_, index) => `pipeline-${index}`);
      const spans = await Promise.all(
        pipelines.map((pipeline, index) => commitOften(world, pipeline, index * 100_000, end)),
      );
      for (const [index, pipeline] of pipelines.entries()) {
        const [first, last] = spans[index] ?? [0, 0];
        const positions = await (await world.open({ pipeline })).positions();
        world.expect([...positions.keys()]).toEqual(['0']);
        world.expectPosition(positions, '0', { epoch: BigInt(last - first) });
      }
      await world.expectSpans(...spans);
    }, 600_000);

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

/** @returns the ids that it has committed, one in each commit */
async function commitOften(world: World, pipeline: string, firstId: number, end: number): Promise<Span> {
  const session = await world.claim(['0'], { pipeline });
  let count = 0;
  while (count < LEAST_COMMITS_OF_EACH || (count < COMMITS_OF_EACH && performance.now() < end)) {
    await world.commit(session, { '0': [firstId + count, firstId + count + 1] });
    count++;
  }
  const { epoch } = positionOf(session.positions, '0');
  world.expect(epoch).toEqual(BigInt(count));
  return [firstId, firstId + count];
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
