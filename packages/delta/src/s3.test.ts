/** A table in a real S3 server: what the network does to a commit, an upload in parts, upserts. The whole suite is `s3.conformance.test.ts`. */
import { randomBytes, randomUUID } from 'node:crypto';
import { Op, type ChangeBatch, type SinkSession } from '@eos/core';
import { describeWith, missingForS3, startS3 } from '@eos/services';
import type { CommitFault, ConformanceRow, Destination } from '@eos/testkit';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Mode } from './index.js';
import { s3Laboratory, type S3Laboratory } from './s3.testing.js';

const program = 'versitygw';
const CONTEXT = { pipeline: 'pipeline', sink: 'sink' };

async function prepared(
  session: SinkSession<ConformanceRow>,
  batch: Pick<ChangeBatch<ConformanceRow>, 'rows' | 'ops'>,
): Promise<() => Promise<void>> {
  const transaction = await session.begin();
  await transaction.write({ ...batch, partition: '0' });
  await transaction.prepare();
  const offset = (session.positions.get('0')?.offset ?? 0n) + 1n;
  const to = new Map([['0', { offset, source: { kind: 'test' } }]]);
  return () => transaction.commit({ from: session.positions, to });
}

function rowsOf(first: number, count: number, name = 'x'): ConformanceRow[] {
  return Array.from({ length: count }, (_, index) => ({ id: BigInt(first + index), name }));
}

async function idsIn(destination: Destination): Promise<number[]> {
  return (await destination.rows()).map(({ id }) => Number(id)).sort((left, right) => left - right);
}

describeWith(
  { describe, beforeAll, afterAll },
  program,
  missingForS3(program),
  () => startS3({ program }),
  (getServer) => {
    let laboratory: S3Laboratory;
    beforeAll(async () => {
      laboratory = await s3Laboratory(getServer());
    });
    afterAll(() => laboratory.close());

    async function withTable(mode: Mode, work: (destination: Destination) => Promise<void>): Promise<void> {
      const destination = await laboratory.destination(mode, `${randomUUID()}/`);
      try {
        await work(destination);
      } finally {
        await destination.close();
      }
    }

    test.each<[CommitFault, boolean]>([
      ['answer-lost', true],
      ['request-lost', false],
      ['request-late', false],
    ])(
      'a commit whose fate is %s is settled by the next claim',
      async (fault, hasLanded) => {
        await withTable('append', async (destination) => {
          const sink = await destination.connector('faulty').open(CONTEXT);
          const session = await sink.recover(['0']);
          await (
            await prepared(session, { rows: rowsOf(0, 3) })
          )();
          const commit = await prepared(session, { rows: rowsOf(3, 3) });
          await destination.faults.arm(fault);
          await expect(commit()).rejects.toMatchObject({ outcome: 'unknown' });
          const replacing = new Map([['0', { owners: new Set([session.owner]), epoch: 1n }]]);
          const next = await sink.recover(['0'], { replacing });
          await destination.faults.release();
          expect(next.positions.get('0')).toMatchObject({ epoch: hasLanded ? 2n : 1n });
          if (!hasLanded) await (await prepared(next, { rows: rowsOf(3, 3) }))();
          await (
            await prepared(next, { rows: rowsOf(6, 3) })
          )();
          expect(await idsIn(destination)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
          await sink.close();
        });
      },
      120_000,
    );

    test('a file that is uploaded in parts is there once, and changed by key', async () => {
      await withTable('upsert', async (destination) => {
        const sink = await destination.connector('direct').open(CONTEXT);
        const session = await sink.recover(['0']);
        // Text that no codec makes small: more than the 8 MiB of a single put.
        const rows = rowsOf(0, 4_000).map((row) => ({ ...row, name: randomBytes(1_500).toString('hex') }));
        await (
          await prepared(session, { rows })
        )();
        const ops = Uint8Array.of(Op.updateAfter, Op.delete);
        await (
          await prepared(session, { rows: rowsOf(7, 2, 'changed'), ops })
        )();
        const found = await destination.rows();
        expect(found).toHaveLength(3_999);
        expect(found.filter(({ name }) => name === 'changed').map(({ id }) => Number(id))).toEqual([7]);
        await sink.close();
      });
    }, 120_000);
  },
);
