import { describe, expect, test } from '@jest/globals';
import { EosError, memorySink, memoryStore, type MemoryStore } from '../index.js';
import { ClaimLedger, settle } from './claim-ledger.js';

const context = { pipeline: 'p', sink: 's' };
const ledger = () => new ClaimLedger(() => undefined);

/** Loses the answer of the first claim, which lands or not. */
function losingFirstClaim(store: MemoryStore<object>, landed: boolean): MemoryStore<object> {
  let claims = 0;
  return {
    ...store,
    claim: async (...request) => {
      if (++claims > 1) return await store.claim(...request);
      if (landed) await store.claim(...request);
      throw new EosError('EOS_UNAVAILABLE', 'lost', { outcome: 'unknown', retryable: true });
    },
  };
}

describe('the claims of one process', () => {
  test.each([true, false])('repeats a first claim whose answer was lost (landed: %s)', async (landed) => {
    const store = memoryStore<object>();
    const older = await memorySink(store).open(context);
    await older.recover(['0']);
    const sink = await memorySink(losingFirstClaim(store, landed)).open(context);
    const claims = ledger();
    await expect(claims.recover(sink, ['0'])).rejects.toMatchObject({ outcome: 'unknown' });
    const session = await claims.recover(sink, ['0']);
    expect((await sink.positions()).get('0')?.owner).toBe(session.owner);
  });

  test('does not steal a newer claim by trying again', async () => {
    const store = memoryStore<object>();
    const sink = await memorySink(losingFirstClaim(store, true)).open(context);
    const claims = ledger();
    await expect(claims.recover(sink, ['0'])).rejects.toMatchObject({ outcome: 'unknown' });
    const newer = await (await memorySink(store).open(context)).recover(['0']);
    await expect(claims.recover(sink, ['0'])).rejects.toMatchObject({ code: 'EOS_FENCED' });
    expect((await sink.positions()).get('0')?.owner).toBe(newer.owner);
  });

  test('a first claim that comes late takes nothing from a newer one', async () => {
    const store = memoryStore<object>();
    let late: (() => Promise<unknown>) | undefined;
    const slow: MemoryStore<object> = {
      ...store,
      claim: async (...request) => {
        late = () => store.claim(...request);
        throw new EosError('EOS_UNAVAILABLE', 'no answer yet', { outcome: 'unknown', retryable: true });
      },
    };
    await expect(ledger().recover(await memorySink(slow).open(context), ['0'])).rejects.toThrow('no answer');
    const sink = await memorySink(store).open(context);
    const newer = await ledger().recover(sink, ['0']);
    await expect(late?.()).rejects.toMatchObject({ code: 'EOS_FENCED' });
    expect((await sink.positions()).get('0')?.owner).toBe(newer.owner);
  });

  test('a first claim takes over from one that came between its look and itself', async () => {
    const store = memoryStore<object>();
    const other = await memorySink(store).open(context);
    let looks = 0;
    const raced: MemoryStore<object> = {
      ...store,
      positions: async (...request) => {
        const positions = await store.positions(...request);
        if (++looks === 1) await other.recover(['0']);
        return positions;
      },
    };
    const sink = await memorySink(raced).open(context);
    const session = await ledger().recover(sink, ['0']);
    expect((await sink.positions()).get('0')?.owner).toBe(session.owner);
    expect(looks).toBe(3);
  });

  test('a failure that certainly did not land leaves the first claim a first claim', async () => {
    const store = memoryStore<object>();
    let calls = 0;
    const refusing: MemoryStore<object> = {
      ...store,
      claim: async (...request) => {
        if (++calls === 1) throw new EosError('EOS_UNAVAILABLE', 'refused', { retryable: true });
        return await store.claim(...request);
      },
    };
    const sink = await memorySink(refusing).open(context);
    const claims = ledger();
    await expect(claims.recover(sink, ['0'])).rejects.toMatchObject({ outcome: 'aborted' });
    await (await memorySink(store).open(context)).recover(['0']);
    await expect(claims.recover(sink, ['0'])).resolves.toBeDefined();
  });
});

describe('settling', () => {
  const from = { epoch: 3n, offset: 5n, txId: 1n, owner: 9n, source: {}, target: 't' };
  const sent = {
    txId: 7n,
    from: new Map([
      ['a', from],
      ['b', from],
    ]),
  };
  const landed = { ...from, epoch: 4n, txId: 7n };

  test('says for each partition what became of it', () => {
    const found = new Map([
      ['a', landed],
      ['b', from],
    ]);
    expect(settle(sent, found, 'partition')).toEqual(
      new Map([
        ['a', 'committed'],
        ['b', 'aborted'],
      ]),
    );
  });

  test('refuses half of an atomic transaction, and a foreign commit under its own claim', () => {
    const half = new Map([
      ['a', landed],
      ['b', from],
    ]);
    expect(() => settle(sent, half, 'transaction')).toThrow(
      expect.objectContaining({ code: 'EOS_CONFORMANCE' }),
    );
    const foreign = new Map([
      ['a', { ...landed, txId: 8n }],
      ['b', from],
    ]);
    expect(() => settle(sent, foreign, 'partition')).toThrow(
      expect.objectContaining({ code: 'EOS_CONFORMANCE' }),
    );
  });
});
