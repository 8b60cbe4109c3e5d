import { Op, type CommitRange } from '@eos/core';
import type { Suite } from './suite.js';
import { positionOf, SOURCE, spanBatch, type TestTransaction, type World } from './world.js';

type Call = 'write' | 'prepare' | 'commit';

const spans = { '0': [0, 10] } as const;

/** Every call in every wrong state gives its documented code, and changes nothing. */
export function misuse({ group, test }: Suite): void {
  group('misuse', () => {
    test('names that are none are refused', async (world) => {
      const connector = world.destination.connector('direct');
      for (const name of ['', 'a/b', 'ä', 'x'.repeat(129), 'a b']) {
        await world.expectCode(connector.open({ pipeline: name, sink: 'sink' }), 'EOS_CONFIG');
        await world.expectCode(connector.open({ pipeline: 'pipeline', sink: name }), 'EOS_CONFIG');
      }
    });

    test('a claim of nothing is refused', async (world) => {
      const sink = await world.open();
      await world.expectCode(sink.recover([]), 'EOS_RANGE');
    });

    wrongStates({ group, test });
    wrongRanges({ group, test });

    test('a batch of a partition that is not claimed, or of the wrong length, is refused', async (world) => {
      const session = await world.claim(['0']);
      const transaction = await session.begin();
      const batch = spanBatch('0', [0, 3]);
      await world.expectCode(transaction.write({ ...batch, partition: '1' }), 'EOS_RANGE');
      await world.expectCode(transaction.write({ ...batch, ops: new Uint8Array(2) }), 'EOS_RANGE');
      await world.expectCode(transaction.write({ ...batch, offsets: new BigInt64Array(4) }), 'EOS_RANGE');
      await transaction.write(batch);
      await transaction.prepare();
      await transaction.commit(world.range(session, { '0': [0, 3] }));
      await world.expectSpans([0, 3]);
    });

    test('ops that are none, or that the declared mode cannot hold, are refused', async (world) => {
      const session = await world.claim();
      const transaction = await session.begin();
      const batch = spanBatch('0', [0, 3]);
      await world.expectCode(transaction.write({ ...batch, ops: Uint8Array.of(0, 4, 0) }), 'EOS_RANGE');
      if (world.capabilities.changelog === 'append') {
        for (const op of [Op.updateBefore, Op.updateAfter, Op.delete]) {
          await world.expectCode(
            transaction.write({ ...batch, ops: Uint8Array.of(0, 0, op) }),
            'EOS_CHANGELOG_MODE',
          );
        }
      }
      await transaction.write(batch);
      await transaction.prepare();
      await transaction.commit(world.range(session, { '0': [0, 3] }));
      await world.expectSpans([0, 3]);
    });

    test('two calls on one transaction at the same time are refused', async (world) => {
      const session = await world.claim();
      const transaction = await session.begin();
      const first = transaction.write(spanBatch('0', [0, 10]));
      await world.expectCode(transaction.write(spanBatch('0', [10, 20])), 'EOS_STATE');
      await first;
      await transaction.prepare();
      await transaction.commit(world.range(session, spans));
      await world.expectSpans([0, 10]);
    });

    test('a second transaction is refused while the first is open', async (world) => {
      const session = await world.claim();
      const transaction = await world.write(session, spans);
      await world.expectCode(session.begin(), 'EOS_TRANSACTION_OPEN');
      await transaction.prepare();
      // Where staging is declared, one more may be begun now, and no third.
      const staged = world.capabilities.staging ? await session.begin() : undefined;
      await world.expectCode(session.begin(), 'EOS_TRANSACTION_OPEN');
      await transaction.commit(world.range(session, spans));
      await staged?.rollback();
      await world.expectSpans([0, 10]);
    });

    test('a closed session takes no more calls, and leaves nothing of its open transaction', async (world) => {
      const session = await world.claim();
      const transaction = await world.prepare(session, spans);
      const range = world.range(session, spans);
      await session.close();
      await session.close();
      await world.expectCode(session.begin(), 'EOS_CLOSED');
      await world.expectCode(transaction.commit(range), 'EOS_CLOSED');
      await transaction.rollback();
      await world.expectSpans();
      await world.commit(await world.claim(), spans);
      await world.expectSpans([0, 10]);
    });

    test('a closed sink takes no more calls, and ends its sessions', async (world) => {
      const sink = await world.open();
      const session = await sink.recover(['0']);
      const transaction = await world.prepare(session, spans);
      const range = world.range(session, spans);
      await sink.close();
      await sink.close();
      await world.expectCode(sink.positions(), 'EOS_CLOSED');
      await world.expectCode(sink.recover(['0']), 'EOS_CLOSED');
      await world.expectCode(session.begin(), 'EOS_CLOSED');
      await world.expectCode(transaction.commit(range), 'EOS_CLOSED');
      await transaction.rollback();
      await world.expectSpans();
    });
  });
}

function wrongStates({ test }: Pick<Suite, 'group' | 'test'>): void {
  const states: readonly (readonly [string, readonly Call[], (world: World) => Promise<TestTransaction>])[] =
    [
      ['before prepare', ['commit'], async (world) => world.write(await world.claim(), spans)],
      ['after prepare', ['write', 'prepare'], async (world) => world.prepare(await world.claim(), spans)],
      [
        'after commit',
        ['write', 'prepare', 'commit'],
        async (world) => world.commit(await world.claim(), spans),
      ],
      ['after rollback', ['write', 'prepare', 'commit'], rolledBack],
    ];
  for (const [state, calls, reach] of states) {
    test(`${state}, ${calls.join(' and ')} give EOS_STATE and change nothing`, async (world) => {
      const transaction = await reach(world);
      const rows = await world.destination.rows();
      for (const call of calls) await world.expectCode(callOf(transaction, call), 'EOS_STATE');
      await transaction.rollback();
      world.expectSame(rows, await world.destination.rows());
    });
  }
}

async function rolledBack(world: World): Promise<TestTransaction> {
  const transaction = await world.prepare(await world.claim(), spans);
  await transaction.rollback();
  return transaction;
}

function callOf(transaction: TestTransaction, call: Call): Promise<void> {
  switch (call) {
    case 'write':
      return transaction.write(spanBatch('0', [10, 20]));
    case 'prepare':
      return transaction.prepare();
    case 'commit':
      return transaction.commit({ from: new Map(), to: new Map([['0', { offset: 20n, source: SOURCE }]]) });
  }
}

function wrongRanges({ test }: Pick<Suite, 'group' | 'test'>): void {
  const advance = (offset: bigint) => ({ offset, source: SOURCE });
  const wrong: readonly (readonly [string, (right: CommitRange) => CommitRange])[] = [
    ['no partition at all', () => ({ from: new Map(), to: new Map() })],
    ['another partition than the rows are of', ({ from }) => ({ from, to: new Map([['1', advance(20n)]]) })],
    ['more partitions than claimed', ({ from, to }) => ({ from, to: new Map([...to, ['2', advance(5n)]]) })],
    ['an offset that goes back', ({ from }) => ({ from, to: new Map([['0', advance(9n)]]) })],
    ['an epoch that is not the session’s', ({ from, to }) => ({ from: changed(from, { epoch: 0n }), to })],
    ['an owner that is not the session’s', ({ from, to }) => ({ from: changed(from, { owner: 1n }), to })],
  ];
  for (const [name, spoil] of wrong) {
    test(`a range with ${name} gives EOS_RANGE, and the transaction can still be committed`, async (world) => {
      const session = await world.claim(['0', '1']);
      await world.commit(session, { '0': [0, 10] });
      const transaction = await world.prepare(session, { '0': [10, 20] });
      const right = world.range(session, { '0': [10, 20] });
      await world.expectCode(transaction.commit(spoil(right)), 'EOS_RANGE');
      await world.expectSpans([0, 10]);
      await transaction.commit(right);
      await world.expectSpans([0, 20]);
    });
  }
}

function changed(from: CommitRange['from'], fields: { epoch?: bigint; owner?: bigint }): CommitRange['from'] {
  return new Map([['0', { ...positionOf(from, '0'), ...fields }]]);
}
