import { randomId, type Position } from '@eos/core';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Transaction } from '../log/actions.js';
import { commitBody } from '../log/action-text.js';
import { NO_ACTIONS } from '../log/actions.js';
import { parseCommit } from '../log/parse-actions.js';
import { partitionsIn } from './application-ids.js';
import { readRecord, readRecords, recordActions } from './records.js';
import { sourceNumbers, sourceOf } from './source-text.js';

const CONTEXT = { pipeline: 'flights', sink: 'delta' };
const TABLE = '8f5d1c1e-3f0e-4f6e-9a53-1f0b6d6f2a11';

/** What the log gives back of transactions: through the text of a commit, as it travels. */
function stored(...commits: (readonly Transaction[])[]): Map<string, Transaction> {
  const applications = new Map<string, Transaction>();
  for (const transactions of commits) {
    const { transactions: read } = parseCommit(0, commitBody({ ...NO_ACTIONS, transactions }));
    for (const transaction of read) applications.set(transaction.appId, transaction);
  }
  return applications;
}

const none: ReadonlyMap<string, Transaction> = new Map();

const int63 = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });

/** -0 and 0 have one text. */
const json = fc.jsonValue().map((value): never => JSON.parse(JSON.stringify(value)) as never);

const positions: fc.Arbitrary<Position> = fc.record(
  {
    epoch: int63,
    offset: int63,
    txId: int63,
    owner: int63,
    source: fc
      .dictionary(fc.string({ unit: 'binary' }), json)
      .map((source) => JSON.parse(JSON.stringify(source)) as never),
    target: fc.constant(TABLE),
    watermark: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    readTo: int63,
    plan: int63,
  },
  { requiredKeys: ['epoch', 'offset', 'txId', 'owner', 'source', 'target'] },
);

describe('a position', () => {
  test('comes back as it went in, on top of any other', () => {
    fc.assert(
      fc.property(positions, positions, (first, second) => {
        const before = stored(recordActions(none, CONTEXT, 'a/b', first, 1));
        expect(readRecord(before, CONTEXT, 'a/b', TABLE)).toEqual(first);
        const after = stored([...before.values()], recordActions(before, CONTEXT, 'a/b', second, 2));
        expect(readRecord(after, CONTEXT, 'a/b', TABLE)).toEqual(second);
      }),
    );
  });

  test('that was never committed has neither offset nor source', () => {
    const initial: Position = { epoch: 0n, offset: null, txId: null, owner: 5n, source: null, target: TABLE };
    const applications = stored(recordActions(none, CONTEXT, '0', initial, 1));
    expect(readRecord(applications, CONTEXT, '0', TABLE)).toEqual(initial);
    expect(applications.size).toBe(4);
  });

  test('of another table says so', () => {
    const applications = stored(recordActions(none, CONTEXT, '0', position(), 1));
    expect(readRecord(applications, CONTEXT, '0', 'another')?.target).not.toBe('another');
  });

  test('always says when it was written', () => {
    const actions = recordActions(none, CONTEXT, '0', position(), 1_700_000_000_000);
    expect(new Set(actions.map(({ lastUpdated }) => lastUpdated))).toEqual(new Set([1_700_000_000_000]));
  });

  test('writes again only what has changed: of a source that stays the same nothing', () => {
    const before = position();
    const applications = stored(recordActions(none, CONTEXT, '0', before, 1));
    const next = { ...before, epoch: 2n, offset: 20n, txId: randomId() };
    const written = recordActions(applications, CONTEXT, '0', next, 2).map(({ appId }) =>
      appId.split('/').at(-1),
    );
    expect(written).toEqual(['epoch', 'offset', 'txId']);
  });

  test('of which a part is gone is damaged, and not another one', () => {
    const actions = recordActions(none, CONTEXT, '0', position(), 1);
    for (const gone of actions) {
      if (gone.appId.endsWith('/owner')) continue;
      const applications = stored(actions.filter((action) => action !== gone));
      expect(() => readRecord(applications, CONTEXT, '0', TABLE)).toThrow(
        expect.objectContaining({ code: 'EOS_FORMAT', details: { partition: '0', appId: gone.appId } }),
      );
    }
  });

  test('whose source is not what was digested is damaged', () => {
    const actions = recordActions(none, CONTEXT, '0', position(), 1);
    const changed = actions.map((action) =>
      action.appId.endsWith('/source.1') ? { ...action, version: action.version ^ 1n } : action,
    );
    expect(() => readRecord(stored(changed), CONTEXT, '0', TABLE)).toThrow(/damaged/);
  });
});

describe('several', () => {
  test('pipelines, sinks and partitions are told apart', () => {
    const places = [
      [{ pipeline: 'a', sink: 'b.c' }, '0'],
      [{ pipeline: 'a.b', sink: 'c' }, '0'],
      [{ pipeline: 'axb', sink: 'c' }, '0'],
      [{ pipeline: 'a', sink: 'b' }, 'c/0'],
      [{ pipeline: 'a', sink: 'b' }, 'c/owner'],
      [{ pipeline: 'a', sink: 'b' }, 'c'],
    ] as const;
    let applications = stored();
    const expected = places.map(([context, partition], index) => {
      const own = { ...position(), epoch: BigInt(index + 1) };
      applications = stored(
        [...applications.values()],
        recordActions(applications, context, partition, own, 1),
      );
      return own;
    });
    places.forEach(([context, partition], index) => {
      expect(readRecords(applications, context, TABLE).get(partition)).toEqual(expected[index]);
    });
    expect([...readRecords(applications, { pipeline: 'a', sink: 'b' }, TABLE).keys()].sort()).toEqual([
      'c',
      'c/0',
      'c/owner',
    ]);
    expect(readRecords(applications, { pipeline: 'b', sink: 'c' }, TABLE).size).toBe(0);
  });

  test('other applications of the table are left alone, and positions of a newer version stop', () => {
    expect(partitionsIn(['spark-query', 'eos', 'eos/2/flights/other/0/owner'], CONTEXT)).toEqual([]);
    expect(() => partitionsIn(['eos/2/flights/delta/0/owner'], CONTEXT)).toThrow(
      expect.objectContaining({ code: 'EOS_FORMAT' }),
    );
  });
});

describe('the text of a source', () => {
  test('is numbers that are positive, and comes back', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), json), (value) => {
        const source = JSON.parse(JSON.stringify(value)) as never;
        const numbers = sourceNumbers(source);
        expect(numbers.pieces.every((piece) => piece >= 0n && piece < 2n ** 56n)).toBe(true);
        expect(sourceOf(numbers)).toEqual(source);
      }),
    );
  });

  test('of a file takes less than twenty', () => {
    const digest = (letter: string) => Buffer.from(letter.repeat(32)).toString('hex').replace(/6/g, 'e');
    const source = { kind: 'file', size: '123456789', head: digest('a'), tail: digest('b') };
    expect(sourceNumbers(source).pieces.length).toBeLessThan(20);
  });
});

function position(): Position {
  const source = { kind: 'file', size: '123', head: 'a1'.repeat(32), tail: 'b2'.repeat(32) };
  return { epoch: 1n, offset: 10n, txId: 77n, owner: 99n, source, target: TABLE };
}
