import { memorySink, memoryStore, type SinkConnector } from '@eos/core';
import { describe, expect, test } from '@jest/globals';
import { CRASH_POINTS, withCrashPoints, type CrashPoint } from './crash-points.js';
import { parseStop, stopText } from './stops.js';

interface TestRow {
  readonly id: number;
}

const rows = [{ id: 0 }, { id: 1 }, { id: 2 }];
const source = { kind: 'test' };

async function writeOnce(connector: SinkConnector<TestRow>): Promise<void> {
  const sink = await connector.open({ pipeline: 'p', sink: 's' });
  const session = await sink.recover(['0']);
  const transaction = await session.begin();
  await transaction.write({
    partition: '0',
    rows,
    ops: new Uint8Array(3),
    offsets: BigInt64Array.of(0n, 1n, 2n),
  });
  await transaction.prepare();
  const range = { from: session.positions, to: new Map([['0', { offset: 3n, source }]]) };
  const [, next] = await Promise.all([transaction.commit(range), session.begin()]);
  await next.rollback();
  expect(session.positions.get('0')?.epoch).toBe(1n);
  await sink.close();
}

describe('withCrashPoints', () => {
  test('stops at every point, in order, and changes nothing', async () => {
    const store = memoryStore<TestRow>();
    const visited: string[] = [];
    const stopping = withCrashPoints(memorySink(store), async (point, count) => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      visited.push(`${point}#${count}`);
    });
    await writeOnce(stopping);
    expect(store.rows()).toEqual(rows);
    expect(visited.filter((name) => !name.startsWith('begin') || name.endsWith('1'))).toEqual(
      CRASH_POINTS.map((point) => `${point}#1`),
    );
  });

  test.each(CRASH_POINTS)('what is thrown at %s is thrown by the call', async (stop) => {
    const store = memoryStore<TestRow>();
    const onPoint = (point: CrashPoint) => {
      if (point === stop) throw new Error(`at ${point}`);
    };
    await expect(writeOnce(withCrashPoints(memorySink(store), onPoint))).rejects.toThrow(`at ${stop}`);
    const hasLanded = stop === 'commit:during' || stop === 'commit:after';
    expect(store.rows()).toEqual(hasLanded ? rows : []);
  });
});

test('a stop is read from its text', () => {
  const stop = { point: 'commit:before', count: 3 } as const;
  expect(parseStop(stopText(stop))).toEqual(stop);
  for (const text of ['commit:before', 'commit:before#0', 'commit:before#1.5', 'elsewhere#1']) {
    expect(() => parseStop(text)).toThrow(RangeError);
  }
});
