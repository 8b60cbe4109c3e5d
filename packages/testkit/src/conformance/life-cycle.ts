import type { Suite } from './suite.js';
import { failureOf, positionOf, SOURCE, sourceAt, spanBatch } from './world.js';

/** What a sink does when it is used as it should be. */
export function lifeCycle({ group, test }: Suite): void {
  group('life cycle', () => {
    test('a first claim finds nothing: epoch 0, no offset, and a target of its own', async (world) => {
      const session = await world.claim(['0']);
      const found = positionOf(session.positions, '0');
      world.expectPosition(session.positions, '0', { epoch: 0n, offset: null, txId: null, source: null });
      world.expect({ isPositive: session.owner > 0n, isOwner: found.owner === session.owner }).toEqual({
        isPositive: true,
        isOwner: true,
      });
      world
        .expect({ type: typeof found.target, isEmpty: found.target === '' })
        .toEqual({ type: 'string', isEmpty: false });
      await world.expectSpans();
    });

    test('a commit shows in the session, at the destination, and to the next claim', async (world) => {
      const session = await world.claim();
      const transaction = await world.commit(session, { '0': [0, 10] });
      const expected = {
        epoch: 1n,
        offset: 10n,
        txId: transaction.id,
        owner: session.owner,
        source: sourceAt('0', 10n),
      };
      world.expectPosition(session.positions, '0', expected);
      const other = await world.open();
      world.expectPosition(await other.positions(), '0', expected);
      const next = await other.recover(['0']);
      world.expectPosition(next.positions, '0', { ...expected, owner: next.owner });
      await world.expectSpans([0, 10]);
    });

    test('transactions follow each other in one session, and every position counts them', async (world) => {
      const session = await world.claim();
      const ids = new Set<bigint>();
      for (let count = 0; count < 5; count++) {
        const { id } = await world.commit(session, { '0': [count * 10, count * 10 + 10] });
        ids.add(id);
        world.expectPosition(session.positions, '0', { epoch: BigInt(count + 1), txId: id });
      }
      world.expect(ids.size).toEqual(5);
      await world.expectSpans([0, 50]);
    });

    test('what a position counts in is stored for each partition, and again with each commit', async (world) => {
      const session = await world.claim(['0', '1']);
      const expectSources = async (offsets: Readonly<Record<string, bigint>>) => {
        const stored = await (await world.open()).positions();
        for (const [partition, offset] of Object.entries(offsets)) {
          const expected = { offset, source: sourceAt(partition, offset) };
          world.expectPosition(session.positions, partition, expected);
          world.expectPosition(stored, partition, expected);
        }
      };
      await world.commit(session, { '0': [0, 10], '1': [100, 110] });
      await expectSources({ '0': 10n, '1': 110n });
      await world.commit(session, { '0': [10, 20], '1': [110, 120] });
      await expectSources({ '0': 20n, '1': 120n });
      await world.commit(session, { '1': [120, 130] });
      await expectSources({ '0': 20n, '1': 130n });
      const next = await world.claim(['1', '0']);
      world.expectPosition(next.positions, '0', { source: sourceAt('0', 20n) });
      world.expectPosition(next.positions, '1', { source: sourceAt('1', 130n) });
    });

    test('many batches make one transaction, in order', async (world) => {
      const session = await world.claim();
      const transaction = await session.begin();
      for (let first = 0; first < 100; first += 10)
        await transaction.write(spanBatch('0', [first, first + 10]));
      await transaction.write({ partition: '0', rows: [] });
      await transaction.prepare();
      await transaction.commit(world.range(session, { '0': [0, 100] }));
      world.expectPosition(session.positions, '0', { epoch: 1n, offset: 100n });
      await world.expectSpans([0, 100]);
    });

    test('watermark, readTo and plan are stored as given, also lower than before, and left out with the position', async (world) => {
      const session = await world.claim();
      const extras = [
        { watermark: -5n, readTo: 12n, plan: 2n ** 62n },
        { watermark: -7n, readTo: 3n, plan: 2n ** 62n },
        {},
      ];
      for (const [index, extra] of extras.entries()) {
        const advance = { offset: BigInt(10 + index), source: SOURCE, ...extra };
        const transaction = await session.begin();
        await transaction.prepare();
        await transaction.commit({ from: session.positions, to: new Map([['0', advance]]) });
        const found = positionOf(await (await world.open()).positions(), '0');
        const { watermark, readTo, plan } = found;
        const nothing = { watermark: undefined, readTo: undefined, plan: undefined };
        world.expect({ watermark, readTo, plan }).toEqual({ ...nothing, ...extra });
      }
    });

    test('offsets reach to 2^63 - 1', async (world) => {
      const session = await world.claim();
      const offset = 2n ** 63n - 1n;
      const transaction = await session.begin();
      await transaction.prepare();
      await transaction.commit({ from: session.positions, to: new Map([['0', { offset, source: SOURCE }]]) });
      world.expectPosition(await (await world.open()).positions(), '0', { offset });
    });

    test('positions() disturbs nobody, and shows no claim that was not made', async (world) => {
      const reader = await world.open();
      world.expect((await reader.positions()).size).toEqual(0);
      const session = await world.claim();
      const transaction = await world.prepare(session, { '0': [0, 10] });
      world.expectPosition(await reader.positions(), '0', { epoch: 0n, offset: null, owner: session.owner });
      await transaction.commit(world.range(session, { '0': [0, 10] }));
      world.expectPosition(await reader.positions(), '0', { epoch: 1n, offset: 10n, owner: session.owner });
      await world.commit(session, { '0': [10, 20] });
      await world.expectSpans([0, 20]);
    });

    test('positions(partitions) shows those that are asked for and exist, and claims nothing', async (world) => {
      const session = await world.claim(['0', '1', '2']);
      await world.commit(session, { '1': [0, 10] });
      const positions = await (await world.open()).positions(['2', '1', 'never claimed']);
      world.expect([...positions.keys()].sort()).toEqual(['1', '2']);
      world.expectPosition(positions, '1', { epoch: 1n, offset: 10n, owner: session.owner });
      world.expectPosition(positions, '2', { epoch: 0n, offset: null, owner: session.owner });
      world.expect((await (await world.open()).positions()).size).toEqual(3);
    });

    test('a rolled back transaction makes room for the next one', async (world) => {
      const session = await world.claim();
      const transaction = await world.prepare(session, { '0': [0, 10] });
      await transaction.rollback();
      await transaction.rollback();
      await world.commit(session, { '0': [0, 10] });
      world.expectPosition(session.positions, '0', { epoch: 1n, offset: 10n });
      await world.expectSpans([0, 10]);
    });

    test('the next transaction may be begun while one commits if, and only if, staging is declared', async (world) => {
      const session = await world.claim();
      const first = await world.prepare(session, { '0': [0, 10] });
      const committed = first.commit(world.range(session, { '0': [0, 10] }));
      if (world.capabilities.staging) {
        const second = await session.begin();
        await second.write(spanBatch('0', [10, 20]));
        await committed;
        await world.expectSpans([0, 10]);
        await second.prepare();
        await second.commit(world.range(session, { '0': [10, 20] }));
      } else {
        await world.expectCode(session.begin(), 'EOS_TRANSACTION_OPEN');
        await committed;
        await world.commit(session, { '0': [10, 20] });
      }
      world.expectPosition(session.positions, '0', { epoch: 2n, offset: 20n });
      await world.expectSpans([0, 20]);
    });

    test('where staging is declared, the next transaction may be written while one prepares', async (world) => {
      const session = await world.claim();
      const first = await session.begin();
      await first.write(spanBatch('0', [0, 10]));
      const preparing = first.prepare();
      if (world.capabilities.staging) {
        const second = await session.begin();
        await second.write(spanBatch('0', [10, 20]));
        await preparing;
        await first.commit(world.range(session, { '0': [0, 10] }));
        await world.expectSpans([0, 10]);
        await second.prepare();
        await second.commit(world.range(session, { '0': [10, 20] }));
      } else {
        await world.expectCode(session.begin(), 'EOS_TRANSACTION_OPEN');
        await preparing;
        await first.commit(world.range(session, { '0': [0, 10] }));
        await world.commit(session, { '0': [10, 20] });
      }
      await world.expectSpans([0, 20]);
    });

    test('a staged transaction that is rolled back does not disturb the commit under way', async (world) => {
      const session = await world.claim();
      const first = await world.prepare(session, { '0': [0, 10] });
      const committed = first.commit(world.range(session, { '0': [0, 10] }));
      if (world.capabilities.staging) {
        const second = await session.begin();
        await second.write(spanBatch('0', [10, 20]));
        await second.rollback();
      }
      await committed;
      await world.expectSpans([0, 10]);
      await world.commit(session, { '0': [10, 30] });
      world.expectPosition(session.positions, '0', { epoch: 2n, offset: 30n });
      await world.expectSpans([0, 30]);
    });

    test('a session that is closed while its commit is under way ends, and recover tells what became of it', async (world) => {
      for (let turns = 0; turns < 4; turns++) {
        const session = await world.claim();
        const first = Number(positionOf(session.positions, '0').offset ?? 0n);
        const transaction = await world.prepare(session, { '0': [first, first + 10] });
        const committed = failureOf(transaction.commit(world.range(session, { '0': [first, first + 10] })));
        for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
        await session.close();
        const failure = await committed;
        const { txId, offset } = positionOf((await world.claim()).positions, '0');
        const hasLanded = txId === transaction.id;
        if (!hasLanded)
          world.expect(failure === undefined ? 'acknowledged, and lost' : 'failed').toEqual('failed');
        world.expect(offset).toEqual(hasLanded ? BigInt(first + 10) : first === 0 ? null : BigInt(first));
        await world.expectSpans([0, Number(offset ?? 0n)]);
      }
    });

    test('a session that is closed while it writes ends, and leaves nothing', async (world) => {
      const session = await world.claim();
      const transaction = await session.begin();
      const written = failureOf(transaction.write(spanBatch('0', [0, 5_000])));
      await session.close();
      await written;
      await world.expectSpans();
      await world.commit(await world.claim(), { '0': [0, 10] });
      await world.expectSpans([0, 10]);
    });

    test('what is staged is thrown away where the commit before it leaves nothing to stage on', async (world) => {
      const session = await world.claim();
      const first = await world.prepare(session, { '0': [0, 10] });
      const committed = first.commit(world.range(session, { '0': [0, 10] }));
      const second = world.capabilities.staging ? await session.begin() : undefined;
      await second?.write(spanBatch('0', [10, 20]));
      await committed;
      await session.close();
      await world.expectSpans([0, 10]);
      await world.commit(await world.claim(), { '0': [10, 20] });
      await world.expectSpans([0, 20]);
    });
  });
}
