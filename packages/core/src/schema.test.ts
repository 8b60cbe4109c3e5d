import { describe, expect, test } from '@jest/globals';
import { rowSchema, t, type InferRow, type RowInput, type RowSchema } from './schema.js';
import type { SinkConnector } from './sink.js';

const flights = rowSchema({
  id: t.int64(),
  origin: t.string(),
  delay: t.int32().nullable(),
  seen: t.timestamp(),
});
type Flight = InferRow<typeof flights>;

describe('row schema', () => {
  test('infers the row type: nullable columns may be null or left out, others may not', () => {
    const rows: Flight[] = [
      { id: 1n, origin: 'DTW', delay: null, seen: 0n },
      { id: 1n, origin: 'DTW', seen: 0n },
    ];
    // @ts-expect-error -- origin is missing
    rows.push({ id: 1n, seen: 0n });
    // @ts-expect-error -- id may not be null
    rows.push({ id: null, origin: 'DTW', seen: 0n });
    expect(rows).toHaveLength(4);
    expect(flights.names).toEqual(['id', 'origin', 'delay', 'seen']);
    expect(flights.columns.delay).toMatchObject({ type: { kind: 'int32' }, isNullable: true });
  });

  test('gives sinks a wider type than sources: what was read can be written, and numbers and Dates too', () => {
    const read: Flight = { id: 1n, origin: 'DTW', seen: 0n };
    const written: RowInput<typeof flights>[] = [read, { id: 1, origin: 'DTW', seen: new Date(0) }];
    const next: bigint = read.id + 1n;
    const anySchema: RowSchema = flights;
    expect([written.length, next, anySchema.names.length]).toEqual([2, 2n, 4]);
  });

  test('keeps sinks from rows that lack a column', () => {
    const accepts = (connector: SinkConnector<Flight>) => connector;
    const wide = {} as SinkConnector<{ id: bigint }>;
    const narrow = {} as SinkConnector<Flight & { tail: string }>;
    accepts(wide);
    // @ts-expect-error -- a Flight has no tail
    accepts(narrow);
    expect(flights.names).toContain('id');
  });

  test('refuses no columns, empty names and array indexes', () => {
    for (const columns of [{}, { '': t.string() }, { 7: t.string() }]) {
      expect(() => rowSchema(columns)).toThrow(expect.objectContaining({ code: 'EOS_CONFIG' }));
    }
  });

  test('refuses a decimal that no database has', () => {
    expect(t.decimal(12, 2).type).toEqual({ kind: 'decimal', precision: 12, scale: 2 });
    for (const [precision, scale] of [
      [0, 0],
      [3, 4],
      [1001, 0],
      [5, -1],
      [2.5, 0],
    ]) {
      expect(() => t.decimal(precision, scale)).toThrow(expect.objectContaining({ code: 'EOS_CONFIG' }));
    }
  });
});
