import { PassThrough, Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { rowSchema, t } from '../schema.js';
import { standardInput } from './index.js';
import {
  after,
  never,
  openReader,
  position,
  readBatches,
  readRows,
  seed,
  type ReadBatch,
} from './reading.testing.js';

describe('standard input', () => {
  test(`gives every row, however its bytes come (EOS_TEST_SEED=${seed})`, async () => {
    const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 });
    const property = fc.asyncProperty(
      fc.array(fc.string({ unit: 'grapheme' })),
      cuts,
      async (texts, sizes) => {
        const bytes = Buffer.from(texts.map((text) => `${JSON.stringify(text)}\n`).join(''));
        const pieces: Buffer[] = [];
        for (let at = 0; at < bytes.length;) {
          const piece = bytes.subarray(at, at + (sizes[pieces.length % sizes.length] ?? 1));
          pieces.push(piece);
          at += piece.length;
        }
        const batches = await readBatches(
          standardInput({ format: 'ndjson', input: Readable.from(pieces), chunkBytes: 5 }),
        );
        expect(batches.flatMap(({ rows }) => rows)).toEqual(texts);
        let offset = 0;
        const offsets = texts.map((text) => {
          const start = offset;
          offset += Buffer.byteLength(JSON.stringify(text)) + 1;
          return BigInt(start);
        });
        expect(batches.flatMap((batch) => [...batch.offsets])).toEqual(offsets);
      },
    );
    await fc.assert(property, { seed, numRuns: 50 });
  });

  test('takes csv, a schema and ops as files do', async () => {
    const input = () => Readable.from(['op,id\n+I,1\n', '-D,1\n']);
    expect(await readRows(standardInput({ format: 'csv', input: input() }))).toEqual([
      { op: '+I', id: '1' },
      { op: '-D', id: '1' },
    ]);
    const source = standardInput({
      format: 'csv',
      input: input(),
      op: 'op',
      schema: rowSchema({ id: t.int64() }),
    });
    expect(source).toMatchObject({
      changelog: 'retract',
      replayable: false,
      description: 'csv standard input',
    });
    const batches = await readBatches(source);
    expect(batches.flatMap(({ rows }) => rows)).toEqual([{ id: 1n }, { id: 1n }]);
    expect(batches.flatMap(({ ops }) => [...(ops ?? [])])).toEqual([0, 3]);
  });

  test('goes on counting in a later run, which reads another stream from its beginning', async () => {
    const first = await readBatches(
      standardInput({ format: 'csv', input: Readable.from(['\uFEFFa\n1\n2\n']) }),
    );
    const last = first.at(-1) as ReadBatch<unknown>;
    expect(last).toMatchObject({ partition: '0', next: 9n, source: { kind: 'stdin' } });
    const second = await readBatches(
      standardInput({ format: 'csv', input: Readable.from(['\uFEFFa\n3\n4\n']) }),
      {
        positions: after(last),
      },
    );
    expect(second.flatMap(({ rows }) => rows)).toEqual([{ a: '3' }, { a: '4' }]);
    expect(second.flatMap(({ offsets }) => [...offsets])).toEqual([14n, 16n]);
    expect(second.at(-1)?.next).toBe(18n);
    expect(second[0]?.source['run']).not.toEqual(last.source['run']);
  });

  test('is read once', async () => {
    const source = standardInput({ format: 'ndjson', input: Readable.from(['1\n2\n']) });
    const reader = await openReader(source);
    await reader.close();
    await expect(openReader(source)).rejects.toMatchObject({
      code: 'EOS_SOURCE_UNAVAILABLE',
      retryable: false,
    });
  });

  test('hands out what came without waiting for more, and is let go of while it waits', async () => {
    const input = new PassThrough();
    const reader = await openReader(standardInput({ format: 'ndjson', input }));
    input.write('1\n2\n3');
    expect((await reader.read({ rows: 10 }))?.rows).toEqual([1, 2]);
    const pending = reader.read({ rows: 10 });
    input.write('4\n');
    expect((await pending)?.rows).toEqual([34]);
    const waiting = reader.read({ rows: 10 });
    await reader.close();
    await reader.close();
    await expect(waiting).rejects.toMatchObject({ code: 'EOS_CLOSED' });
    expect(input.destroyed).toBe(true);
  });

  test('stops when it is told to, and says where it fails', async () => {
    const stop = new AbortController();
    for await (const assignment of standardInput({ format: 'ndjson', input: new PassThrough() }).assignments({
      pipeline: 'test',
      signal: never,
    })) {
      const reader = await assignment.open(
        new Map([['0', position(5n, { kind: 'stdin', run: 'x' })]]),
        stop.signal,
      );
      const pending = reader.read({ rows: 1 });
      stop.abort();
      await expect(pending).rejects.toMatchObject({ code: 'EOS_ABORTED' });
      await reader.close();
    }
    const input = new PassThrough();
    const reader = await openReader(standardInput({ format: 'ndjson', input }));
    const pending = reader.read({ rows: 1 });
    input.destroy(new Error('cable pulled'));
    await expect(pending).rejects.toMatchObject({
      code: 'EOS_SOURCE_UNAVAILABLE',
      message: expect.stringContaining('cable pulled'),
    });
    await reader.close();
  });
});
