import { isEosError, Op, type Columns } from '@eos/core';
import { DOUBTFUL_VALUES, EXTREME_VALUES } from './extreme-values.js';
import { conformanceSchema, type ConformanceRow, type FoundRow } from './schema.js';
import type { Suite } from './suite.js';
import { failureOf, SOURCE, type World } from './world.js';

/** Rows come out as they went in. */
export function values({ group, test }: Suite): void {
  group('values', () => {
    for (const [name, column] of Object.entries(EXTREME_VALUES)) {
      test(`the extremes of ${kindOf(name)} are kept exactly`, async (world) => {
        const rows = column.map((value, index) => ({ id: BigInt(index), [name]: value }));
        await commitRows(world, rows);
        await world.expectRows(rows);
      });

      test(`what is no ${kindOf(name)}, or more than a store can hold, is refused or kept exactly`, async (world) => {
        const kept: FoundRow[] = [];
        for (const [index, value] of doubtfulValues(name).entries()) {
          const row = { id: BigInt(index), [name]: value };
          // A row that a program in JavaScript may well hand out, whatever its type says.
          const before = await world.letters();
          const failure = await failureOf(commitRows(world, [row]));
          if (failure !== undefined) expectRefused(world, name, value, failure);
          else if ((await world.letters()).length === before.length) kept.push(row);
        }
        await world.expectRows(kept);
      });
    }

    test('rows with extremes are found again when they go', async (world) => {
      const rows = Object.entries(EXTREME_VALUES).flatMap(([name, column], kind) =>
        column.map((value, index): ConformanceRow => ({ id: BigInt(kind * 100 + index), [name]: value })),
      );
      rows.push({ id: 9_999n, name: null });
      await commitRows(world, rows);
      const gone = (count: number) => ({ ops: new Uint8Array(count).fill(Op.delete) });
      switch (world.capabilities.changelog) {
        case 'append':
          await world.expectCode(commitRows(world, rows, gone(rows.length)), 'EOS_CHANGELOG_MODE');
          await world.expectRows(rows);
          return;
        case 'retract':
          // One copy at a time.
          await commitRows(world, rows);
          await commitRows(world, rows, gone(rows.length));
          await world.expectRows(rows);
      }
      await commitRows(world, rows, gone(rows.length));
      await world.expectRows([]);
    });

    test('columns may be null, undefined or left out', async (world) => {
      const nulls = Object.fromEntries(conformanceSchema.names.map((name) => [name, null]));
      const rows: ConformanceRow[] = [
        { ...nulls, id: 1n },
        { id: 2n, flag: undefined, name: undefined, document: undefined },
        { id: 3n },
        { id: 4n, name: '' },
      ];
      await commitRows(world, rows);
      await world.expectRows(rows);
    });

    test('the extremes of a key are kept exactly', async (world) => {
      const rows: ConformanceRow[] = [-(2n ** 63n), 2n ** 63n - 1n, 0n, -1n, 2n ** 53n, 2n ** 53n + 1n].map(
        (id) => ({ id }),
      );
      await commitRows(world, rows);
      await world.expectRows(rows);
    });

    test('a batch and its rows are left as they were', async (world) => {
      const rows: ConformanceRow[] = [{ id: 1n, document: { a: [1] }, raw: Uint8Array.of(1, 2) }, { id: 2n }];
      const before = structuredClone(rows);
      await commitRows(
        world,
        rows.map((row) => Object.freeze(row)),
      );
      world.expect(rows).toEqual(before);
    });
  });
}

async function commitRows(
  world: World,
  rows: readonly ConformanceRow[],
  changes: { readonly ops?: Uint8Array } = {},
): Promise<void> {
  const sink = await world.open();
  try {
    const session = await sink.recover(['0']);
    const transaction = await session.begin();
    await transaction.write({ partition: '0', rows, ...changes });
    await transaction.prepare();
    const offset = (session.positions.get('0')?.offset ?? 0n) + BigInt(rows.length);
    await transaction.commit({ from: session.positions, to: new Map([['0', { offset, source: SOURCE }]]) });
  } finally {
    await sink.close();
  }
}

function expectRefused(world: World, name: string, value: unknown, failure: unknown): void {
  const refusal = isEosError(failure)
    ? { code: failure.code, retryable: failure.retryable, outcome: failure.outcome }
    : failure;
  const shown = `${name}: ${typeof value === 'bigint' ? `${value}n` : JSON.stringify(value)}`;
  world.expect({ shown, refusal }).toEqual({
    shown,
    refusal: { code: 'EOS_ROW', retryable: false, outcome: 'aborted' },
  });
}

function kindOf(name: string): string {
  const columns: Columns = conformanceSchema.columns;
  return columns[name]?.type.kind ?? name;
}

function doubtfulValues(name: string): readonly unknown[] {
  const values: Readonly<Record<string, readonly unknown[] | undefined>> = DOUBTFUL_VALUES;
  return values[name] ?? [];
}
