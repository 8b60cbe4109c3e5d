/** delta-rs writes to a table at the same time as we: appends, deletes, compaction, checkpoints. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Op, rowSchema, t, type SinkSession } from '@eos/core';
import { describeWithPython } from '@eos/services';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { deltaSink, DeltaTable } from './index.js';

const schema = rowSchema({ id: t.int64(), name: t.string().nullable() });
interface Row {
  readonly id: bigint;
  readonly name: string;
}

const TURNS = 12;
const THEIR_FIRST = 1_000_000;
/** Keys of ours, each changed again and again. */
const KEYS = 50;

/** Appends ten rows a turn, deletes every third row of its own at the end of some, and merges all small files; what loses a race is tried again. */
const WRITE = `
import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError
def again(work):
    for attempt in range(100):
        try: return work()
        except CommitFailedError: pass
    raise Exception('lost a hundred races')
def main(input):
    path, first = input['path'], input['first']
    done = { 'appends': 0, 'deletes': 0, 'compactions': 0 }
    for turn in range(input['turns']):
        ids = list(range(first + turn * 10, first + turn * 10 + 10))
        rows = pa.table({ 'id': pa.array(ids, pa.int64()), 'name': pa.array(['theirs'] * 10) })
        again(lambda: write_deltalake(path, rows, mode='append'))
        done['appends'] += 1
        if turn % 4 == 3:
            again(lambda: DeltaTable(path).delete(f'id >= {first} and id % 3 = 0'))
            done['deletes'] += 1
            again(lambda: DeltaTable(path).optimize.compact())
            done['compactions'] += 1
            DeltaTable(path).create_checkpoint()
    return done`;

const READ = `
import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder
def main(path):
    found = QueryBuilder().register('t', DeltaTable(path)).execute('select id, name from t').read_all()
    return sorted(f"{row['id']} {row['name']}" for row in pa.table(found).to_pylist())`;

function theirTexts(): string[] {
  return Array.from({ length: TURNS * 10 }, (_, index) => THEIR_FIRST + index)
    .filter((id) => id % 3 !== 0)
    .map((id) => `${id} theirs`);
}

async function commit(session: SinkSession<Row>, rows: readonly Row[], ops?: Uint8Array): Promise<void> {
  const transaction = await session.begin();
  await transaction.write({ partition: '0', rows, ...(ops === undefined ? {} : { ops }) });
  await transaction.prepare();
  const offset = (session.positions.get('0')?.offset ?? 0n) + 1n;
  const to = new Map([['0', { offset, source: { kind: 'test' } }]]);
  await transaction.commit({ from: session.positions, to });
}

/** Upserts keys round and round, deletes some, until told to end. Returns what must be left. */
async function upsertUntil(session: SinkSession<Row>, isOver: () => boolean): Promise<string[]> {
  const left = new Map<bigint, string>();
  for (let turn = 0; !isOver() || turn < TURNS; turn++) {
    const rows = Array.from({ length: 5 }, (_, index) => ({
      id: BigInt((turn * 5 + index * 3) % KEYS),
      name: `ours ${turn}`,
    }));
    const ops = Uint8Array.from(rows, (_, index) => (index === 4 ? Op.delete : Op.updateAfter));
    await commit(session, rows, ops);
    rows.forEach(({ id, name }, index) => (index === 4 ? left.delete(id) : left.set(id, `${id} ${name}`)));
  }
  return [...left.values()];
}

async function appendUntil(session: SinkSession<Row>, isOver: () => boolean): Promise<string[]> {
  const texts: string[] = [];
  for (let turn = 0; !isOver() || turn < TURNS; turn++) {
    const id = BigInt(10_000 + turn);
    await commit(session, [{ id, name: 'appended' }]);
    texts.push(`${id} appended`);
  }
  return texts;
}

describeWithPython({ describe, beforeAll, afterAll }, ['deltalake', 'pyarrow'], (getPython) => {
  test('writes to one table with our upserts and appends, and every row is there once', async () => {
    const root = await mkdtemp(join(tmpdir(), 'eos-delta-rs-writers-'));
    const path = join(root, 'table');
    try {
      const options = { folder: path, schema, properties: { 'delta.checkpointInterval': '10' } };
      const upserts = await deltaSink<Row>({ ...options, mode: 'upsert', key: ['id'] }).open({
        pipeline: 'upserts',
        sink: 'delta',
      });
      const appends = await deltaSink<Row>(options).open({ pipeline: 'appends', sink: 'delta' });
      const sessions = [await upserts.recover(['0']), await appends.recover(['0'])] as const;
      let isOver = false;
      const input = { path, first: THEIR_FIRST, turns: TURNS };
      const theirs = getPython()
        .run(WRITE, { input })
        .finally(() => (isOver = true));
      const [done, upserted, appended] = await Promise.all([
        theirs,
        upsertUntil(sessions[0], () => isOver),
        appendUntil(sessions[1], () => isOver),
      ]);
      expect(done).toEqual({ appends: TURNS, deletes: TURNS / 4, compactions: TURNS / 4 });
      const expected = [...theirTexts(), ...upserted, ...appended].sort();
      expect(await getPython().run(READ, { input: path })).toEqual(expected);
      const table = await DeltaTable.open({ folder: path });
      const texts: string[] = [];
      for await (const rows of table.rows<Row>()) texts.push(...rows.map(({ id, name }) => `${id} ${name}`));
      await table.close();
      expect(texts.sort()).toEqual(expected);
      await Promise.all([upserts.close(), appends.close()]);
    } finally {
      await rm(root, { recursive: true, force: true });
    }
  }, 120_000);
});
