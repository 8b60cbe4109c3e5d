import { describe, expect, test } from '@jest/globals';
import { defineSink, type SinkDriver, type TransactionDriver } from '../define-sink.js';
import { EosError } from '../errors.js';
import { initialPosition } from '../positions.js';
import type { Sink, SinkTransaction } from '../sink.js';

const batch = { partition: '0', rows: [{ id: 1 }] };
const to = (offset: bigint) => new Map([['0', { offset, source: {} }]]);

/** A sink whose transactions do what `overrides` say, and tell what was called. */
async function openSink(overrides: Partial<TransactionDriver<object>> = {}, staging = false) {
  const calls: string[] = [];
  const step = (name: 'write' | 'prepare' | 'commit' | 'rollback') => async (argument?: unknown) => {
    calls.push(name);
    await (overrides[name] as ((argument: unknown) => Promise<void>) | undefined)?.(argument);
  };
  const driver: SinkDriver<object> = {
    positions: async () => new Map(),
    recover: async ({ partitions, owner }) => ({
      positions: new Map(partitions.map((name) => [name, initialPosition(owner, 't')])),
      begin: async () => ({
        write: step('write'),
        prepare: step('prepare'),
        commit: step('commit'),
        rollback: step('rollback'),
      }),
      close: async () => void calls.push('close session'),
    }),
    close: async () => void calls.push('close sink'),
  };
  const capabilities = {
    changelog: 'append',
    atomic: 'transaction',
    staging,
    deadLetters: false,
    durable: false,
  } as const;
  const connector = defineSink({ description: 'test', capabilities, connect: async () => driver });
  const sink = await connector.open({ pipeline: 'p', sink: 's' });
  return { sink, calls };
}

async function prepared(
  sink: Sink<object>,
): Promise<{ transaction: SinkTransaction<object>; commit: () => Promise<void> }> {
  const session = await sink.recover(['0']);
  const transaction = await session.begin();
  await transaction.write(batch);
  await transaction.prepare();
  return { transaction, commit: () => transaction.commit({ from: session.positions, to: to(1n) }) };
}

describe('the states of a transaction', () => {
  test('after a step that failed only rollback is left, and it reaches the driver', async () => {
    const { sink, calls } = await openSink({ write: () => Promise.reject(new Error('broken pipe')) });
    const transaction = await (await sink.recover(['0'])).begin();
    await expect(transaction.write(batch)).rejects.toMatchObject({
      code: 'EOS_UNAVAILABLE',
      retryable: true,
    });
    await expect(transaction.write(batch)).rejects.toMatchObject({ code: 'EOS_STATE' });
    await transaction.rollback();
    await transaction.rollback();
    expect(calls).toEqual(['write', 'rollback']);
  });

  test.each(['EOS_FENCED', 'EOS_POSITION_REGRESSED'] as const)(
    'after %s before the commit the session is dead, as after one by the commit',
    async (code) => {
      const { sink, calls } = await openSink({ prepare: () => Promise.reject(new EosError(code, 'lost')) });
      const session = await sink.recover(['0']);
      const transaction = await session.begin();
      await expect(transaction.prepare()).rejects.toMatchObject({ code });
      await expect(transaction.write(batch)).rejects.toMatchObject({ code: 'EOS_SESSION_DEAD' });
      await expect(session.begin()).rejects.toMatchObject({ code: 'EOS_SESSION_DEAD' });
      await transaction.rollback();
      expect(calls).toEqual(['prepare', 'rollback']);
    },
  );

  test('after a commit that failed, nothing is rolled back and the session is dead', async () => {
    const { sink, calls } = await openSink({ commit: () => Promise.reject(new Error('reset')) });
    const { transaction, commit } = await prepared(sink);
    await expect(commit()).rejects.toMatchObject({
      code: 'EOS_UNKNOWN_OUTCOME',
      outcome: 'unknown',
      retryable: true,
    });
    await transaction.rollback();
    await expect(commit()).rejects.toMatchObject({ code: 'EOS_SESSION_DEAD' });
    expect(calls).toEqual(['write', 'prepare', 'commit']);
  });

  test('prepare waits for the earlier commit also where the sink stages', async () => {
    let answer = () => {};
    const { sink } = await openSink({ commit: () => new Promise((resolve) => (answer = resolve)) }, true);
    const session = await sink.recover(['0']);
    const first = await session.begin();
    await first.prepare();
    const committed = first.commit({ from: session.positions, to: to(1n) });
    const second = await session.begin();
    await second.write(batch);
    await expect(second.prepare()).rejects.toMatchObject({ code: 'EOS_TRANSACTION_OPEN' });
    await expect(session.begin()).rejects.toMatchObject({ code: 'EOS_TRANSACTION_OPEN' });
    answer();
    await committed;
    await second.prepare();
    expect(session.positions.get('0')).toMatchObject({ epoch: 1n, offset: 1n, txId: first.id });
  });

  test('the next transaction may be begun when prepare was called, and not before', async () => {
    let answer = () => {};
    const { sink, calls } = await openSink(
      { prepare: () => new Promise((resolve) => (answer = resolve)) },
      true,
    );
    const session = await sink.recover(['0']);
    const first = await session.begin();
    await first.write(batch);
    await expect(session.begin()).rejects.toMatchObject({ code: 'EOS_TRANSACTION_OPEN' });
    const preparing = first.prepare();
    const second = await session.begin();
    await second.write(batch);
    await expect(first.write(batch)).rejects.toMatchObject({ code: 'EOS_STATE' });
    await expect(second.prepare()).rejects.toMatchObject({ code: 'EOS_TRANSACTION_OPEN' });
    answer();
    await preparing;
    await first.rollback();
    expect(calls).toEqual(['write', 'prepare', 'write', 'rollback']);
  });

  test.each([
    ['partitions that were not claimed', new Map([['1', { offset: 1n, source: {} }]])],
    ['no partition', new Map()],
  ])('a range of %s is refused before anything is sent', async (_, range) => {
    const { sink, calls } = await openSink();
    const session = await sink.recover(['0']);
    const transaction = await session.begin();
    await transaction.prepare();
    await expect(transaction.commit({ from: session.positions, to: range })).rejects.toMatchObject({
      code: 'EOS_RANGE',
    });
    await transaction.commit({ from: session.positions, to: to(1n) });
    expect(calls).toEqual(['prepare', 'commit']);
  });

  test('closing the sink rolls back what is open, then closes sessions and driver', async () => {
    const { sink, calls } = await openSink();
    await prepared(sink);
    await sink.close();
    await sink.close();
    expect(calls).toEqual(['write', 'prepare', 'rollback', 'close session', 'close sink']);
    await expect(sink.recover(['0'])).rejects.toMatchObject({ code: 'EOS_CLOSED' });
  });
});
