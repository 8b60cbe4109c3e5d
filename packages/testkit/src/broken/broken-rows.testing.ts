import { consolidateByKey, consolidateRows, isRetraction, Op, type Changes } from '@eos/core';
import { conformanceKey, type ConformanceRow } from '../conformance/schema.js';
import { rowText } from '../oracle/row-text.js';
import { brokenSink, type Batch } from './broken-sink.testing.js';
import type { BrokenSink } from './catalogue.testing.js';

const changelogs = 'changelogs';
const values = 'values';

export const brokenRows: readonly BrokenSink[] = [
  {
    name: 'loses the deletes of keys that were inserted in the same transaction',
    caughtBy: changelogs,
    mode: 'upsert',
    connect: folding((batch, changes) => {
      const inserted = new Set(
        batch.rows.filter((_, index) => !isRetraction(batch.ops?.[index] ?? 0)).map(({ id }) => id),
      );
      const { deletes, upserts } = consolidateByKey(changes, conformanceKey);
      return [deletes.filter(({ id }) => !inserted.has(id)), upserts];
    }),
  },
  {
    name: 'loses all deletes',
    caughtBy: changelogs,
    mode: 'upsert',
    connect: folding((_batch, changes) => [[], consolidateByKey(changes, conformanceKey).upserts]),
  },
  {
    name: 'keeps the first change of a key instead of the last',
    caughtBy: changelogs,
    mode: 'upsert',
    connect: folding((_batch, { rows, ops }) => {
      const reversed = {
        rows: [...rows].reverse(),
        ...(ops === undefined ? {} : { ops: Uint8Array.from(ops).reverse() }),
      };
      const { deletes, upserts } = consolidateByKey(reversed, conformanceKey);
      return [deletes, upserts];
    }),
  },
  {
    name: 'applies upserts before deletes, each as it came',
    caughtBy: changelogs,
    mode: 'upsert',
    connect: brokenSink({
      commit: ({ store, context }, commit, batches) => {
        const upserts = batches.map((batch) => only(batch, (op) => !isRetraction(op)));
        const deletes = batches.map((batch) => only(batch, isRetraction));
        return store.commit(context, commit, [...upserts, ...deletes]);
      },
    }),
  },
  {
    name: 'takes equal rows for one',
    caughtBy: changelogs,
    mode: 'retract',
    connect: brokenSink({
      commit: ({ store, context }, commit, batches) => {
        const counted = batches.map(({ partition, ...changes }) => {
          const rows = consolidateRows(changes);
          return {
            partition,
            rows: rows.map(({ row }) => row),
            ops: Uint8Array.from(rows, ({ count }) => (count > 0 ? Op.insert : Op.delete)),
          };
        });
        return store.commit(context, commit, counted);
      },
    }),
  },
  {
    name: 'appends a row once, however often it comes in a batch',
    caughtBy: changelogs,
    connect: brokenSink({
      write: async (_sink, { partition, rows }, buffer) =>
        void buffer.push({ partition, rows: distinct(rows) }),
    }),
  },
  {
    name: 'does not append a row that an earlier commit appended',
    caughtBy: changelogs,
    connect: brokenSink({
      commit: ({ store, context }, commit, batches) => {
        const held = new Set(store.rows().map(rowText));
        const fresh = batches.map(({ partition, rows }) => ({
          partition,
          rows: rows.filter((row) => !held.has(rowText(row))),
        }));
        return store.commit(context, commit, fresh);
      },
    }),
  },
  {
    name: 'ignores the row before an update',
    caughtBy: changelogs,
    mode: 'retract',
    connect: brokenSink({
      commit: ({ store, context }, commit, batches) => {
        const taken = batches.map((batch) => only(batch, (op) => op !== Op.updateBefore));
        return store.commit(context, commit, taken);
      },
    }),
  },
  {
    name: 'looks for the rows that go by their JSON, which has no NaN',
    caughtBy: values,
    mode: 'retract',
    connect: brokenSink({
      commit: ({ store, context }, commit, batches) => {
        const found = batches.map((batch) => ({
          ...batch,
          rows: batch.rows.map((row, index) =>
            isRetraction(batch.ops?.[index] ?? 0) && row.ratio != null
              ? { ...row, ratio: fromJson(row.ratio) }
              : row,
          ),
        }));
        return store.commit(context, commit, found);
      },
    }),
  },
  {
    name: 'reads integers as floating-point numbers',
    caughtBy: values,
    connect: mapping((row) => ({ ...row, ...(row.big == null ? {} : { big: Number(row.big) }) })),
  },
  {
    name: 'sends rows as JSON',
    caughtBy: values,
    connect: mapping((row) => ({ ...row, ...(row.ratio == null ? {} : { ratio: fromJson(row.ratio) }) })),
  },
  {
    name: 'takes an empty text for null',
    caughtBy: values,
    connect: mapping((row) => ({ ...row, name: row.name === '' ? null : row.name })),
  },
  {
    name: 'cuts text at the first zero, as C does',
    caughtBy: values,
    connect: mapping((row) => ({
      ...row,
      name: typeof row.name === 'string' ? row.name.split('\u0000', 1)[0] : row.name,
    })),
  },
  {
    name: 'sends text as UTF-8 without looking',
    caughtBy: values,
    connect: mapping((row) => ({
      ...row,
      name: typeof row.name === 'string' ? Buffer.from(row.name).toString() : row.name,
    })),
  },
  {
    name: 'keeps timestamps to the millisecond',
    caughtBy: values,
    connect: mapping((row) => ({
      ...row,
      ...(typeof row.moment === 'bigint' ? { moment: (row.moment / 1000n) * 1000n } : {}),
    })),
  },
  {
    name: 'writes only the first rows of a large batch',
    caughtBy: 'volume',
    connect: brokenSink({
      write: async (_sink, batch, buffer) => void buffer.push({ ...batch, rows: batch.rows.slice(0, 4_096) }),
    }),
  },
];

/** Folds each batch to deletes and upserts by a rule of its own. */
function folding(
  fold: (
    batch: Batch,
    changes: Changes<ConformanceRow>,
  ) => [readonly ConformanceRow[], readonly ConformanceRow[]],
): BrokenSink['connect'] {
  return brokenSink({
    write: async (_sink, batch, buffer) => {
      const [deletes, upserts] = fold(batch, batch);
      buffer.push({
        partition: batch.partition,
        rows: deletes,
        ops: new Uint8Array(deletes.length).fill(Op.delete),
      });
      buffer.push({ partition: batch.partition, rows: upserts });
    },
  });
}

function distinct(rows: readonly ConformanceRow[]): ConformanceRow[] {
  return [...new Map(rows.map((row) => [rowText(row), row])).values()];
}

function mapping(map: (row: ConformanceRow) => ConformanceRow): BrokenSink['connect'] {
  return brokenSink({
    write: async (_sink, batch, buffer) => void buffer.push({ ...batch, rows: batch.rows.map(map) }),
  });
}

function only(batch: Batch, wanted: (op: number) => boolean): Batch {
  const indexes = [...batch.rows.keys()].filter((index) => wanted(batch.ops?.[index] ?? 0));
  return {
    partition: batch.partition,
    rows: batch.rows.filter((_, index) => wanted(batch.ops?.[index] ?? 0)),
    ops: Uint8Array.from(indexes, (index) => batch.ops?.[index] ?? 0),
  };
}

function fromJson(value: number): number | null {
  const parsed: unknown = JSON.parse(JSON.stringify(value));
  return typeof parsed === 'number' ? parsed : null;
}
