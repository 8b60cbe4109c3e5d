/** Several pipelines of ours write to one table at the same time, in all modes, while it is compacted and vacuumed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isEosError, Op, rowSchema, t, type Sink, type SinkSession } from '@eos/core';
import { DuckDBInstance } from '@duckdb/node-api';
import { localObjectStore } from '@eos/object-store';
import { describe, expect, test } from '@jest/globals';
import { fastFolder } from './conformance.testing.js';
import { deltaSink, type DeltaSinkOptions } from './index.js';
import { liveFiles } from './reading.testing.js';

const schema = rowSchema({ id: t.int64(), version: t.int32(), writer: t.string() });
interface Row {
  readonly id: bigint;
  readonly version: number;
  readonly writer: string;
}

/** Each writer has keys of its own; the files it touches are everybody's. */
const KEYS = 40;
const COMMITS = 15;

interface Writer {
  readonly name: string;
  readonly mode: 'append' | 'upsert';
  readonly first: number;
}

const WRITERS: readonly Writer[] = [
  { name: 'append-a', mode: 'append', first: 100_000 },
  { name: 'append-b', mode: 'append', first: 200_000 },
  { name: 'upsert-a', mode: 'upsert', first: 0 },
  { name: 'upsert-b', mode: 'upsert', first: 1_000 },
];

/** What a commit does, as a function of its number: a tenth of the keys is deleted. */
function changesOf({ name, mode, first }: Writer, commit: number): { rows: Row[]; ops: Uint8Array } {
  const rows = Array.from({ length: 10 }, (_, index): Row => {
    const number = commit * 10 + index;
    const id = mode === 'append' ? first + number : first + ((number * 7) % KEYS);
    return { id: BigInt(id), version: commit, writer: name };
  });
  const ops = rows.map(({ id }) =>
    mode === 'upsert' && (Number(id) + commit) % 10 === 0 ? Op.delete : Op.insert,
  );
  return { rows, ops: Uint8Array.from(ops) };
}

function expectedTexts(): string[] {
  const rows = new Map<bigint, string>();
  for (const writer of WRITERS) {
    for (let commit = 0; commit < COMMITS; commit++) {
      const { rows: changed, ops } = changesOf(writer, commit);
      changed.forEach(({ id, version }, index) => {
        if (ops[index] === Op.delete) rows.delete(id);
        else rows.set(id, `${id} ${version} ${writer.name}`);
      });
    }
  }
  return [...rows.values()].sort();
}

function sinkOf(
  root: string,
  { mode }: Pick<Writer, 'mode'>,
  properties: DeltaSinkOptions['properties'] = {},
) {
  const key = mode === 'upsert' ? { key: ['id'] } : {};
  return deltaSink<Row>({
    folder: root,
    path: 'table',
    schema,
    mode,
    properties,
    ...key,
  } as DeltaSinkOptions);
}

/** Commits all of a writer's changes; where the table was vacuumed or altered in between, claims again and goes on from its position. */
async function write(
  root: string,
  writer: Writer,
  properties: Readonly<Record<string, string>>,
): Promise<void> {
  const sink = await sinkOf(root, writer, properties).open({ pipeline: writer.name, sink: 'lake' });
  let session = await sink.recover(['0']);
  while (Number(session.positions.get('0')?.offset ?? 0n) < COMMITS) {
    try {
      await commit(session, writer);
    } catch (error) {
      if (!isEosError(error) || !error.retryable) throw error;
      session = await recoverAgain(sink, session);
    }
  }
  await sink.close();
}

async function commit(session: SinkSession<Row>, writer: Writer): Promise<void> {
  const offset = session.positions.get('0')?.offset ?? 0n;
  const transaction = await session.begin();
  await transaction.write({ partition: '0', ...changesOf(writer, Number(offset)) });
  await transaction.prepare();
  const to = new Map([['0', { offset: offset + 1n, source: { kind: 'test' } }]]);
  await transaction.commit({ from: session.positions, to });
}

async function recoverAgain(sink: Sink<Row>, last: SinkSession<Row>): Promise<SinkSession<Row>> {
  const { epoch = 0n } = last.positions.get('0') ?? {};
  return await sink.recover(['0'], { replacing: new Map([['0', { owners: new Set([last.owner]), epoch }]]) });
}

/** Compacts and vacuums until told to end. Returns how often each was done. */
async function maintain(
  root: string,
  isOver: () => boolean,
): Promise<{ compacted: number; vacuumed: number }> {
  const { compact, vacuum } = sinkOf(root, { mode: 'append' }).abilities ?? {};
  if (compact === undefined || vacuum === undefined) throw new Error('the sink has no maintenance');
  const done = { compacted: 0, vacuumed: 0 };
  const context = { pipeline: 'nobody', sink: 'nobody' };
  while (!isOver()) {
    try {
      await compact(context, { dryRun: false });
      done.compacted += 1;
      await vacuum(context, { dryRun: false });
      done.vacuumed += 1;
    } catch (error) {
      // Others were faster, or the table is not there yet.
      if (!isEosError(error) || !(error.retryable || error.code === 'EOS_SCHEMA')) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return done;
}

async function textsIn(root: string): Promise<string[]> {
  const files = await liveFiles(localObjectStore({ root }), 'table/');
  const list = files.map((file) => `'${join(root, 'table', file)}'`).join(', ');
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  const found = await connection.runAndReadAll(
    `SELECT id::VARCHAR || ' ' || version || ' ' || writer FROM read_parquet([${list}])`,
  );
  connection.closeSync();
  return found
    .getRows()
    .map(([text]) => String(text))
    .sort();
}

describe('writers at the same time', () => {
  test.each([
    ['and nobody else', false],
    ['while the table is compacted and vacuumed', true],
  ])(
    'leave every row once, %s',
    async (_, isMaintained) => {
      const root = await mkdtemp(join(fastFolder(), 'eos-delta-concurrent-'));
      const properties = {
        'delta.checkpointInterval': '10',
        // Nothing that was merged is kept: who still reads it is told, and tries again.
        ...(isMaintained ? { 'delta.deletedFileRetentionDuration': 'interval 0 hours' } : {}),
      };
      try {
        let left = WRITERS.length;
        const writing = WRITERS.map((writer) => write(root, writer, properties).finally(() => (left -= 1)));
        const maintenance = isMaintained ? maintain(root, () => left === 0) : undefined;
        await Promise.all(writing);
        const done = await maintenance;
        expect(await textsIn(root)).toEqual(expectedTexts());
        if (done !== undefined) expect(Math.min(done.compacted, done.vacuumed)).toBeGreaterThan(2);
        for (const writer of WRITERS) {
          const status = await sinkOf(root, writer).abilities?.status?.({
            pipeline: writer.name,
            sink: 'lake',
          });
          expect(status?.get('0')?.position).toMatchObject({
            epoch: BigInt(COMMITS),
            offset: BigInt(COMMITS),
          });
        }
      } finally {
        await rm(root, { recursive: true, force: true, maxRetries: 3 });
      }
    },
    120_000,
  );
});
