import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isEosError, rowSchema, t } from '@eos/core';
import { describeWithService } from '@eos/services';
import fc from 'fast-check';
import { commit, seed, withDatabase, type Row } from '../database.testing.js';
import { copyTextEncoder } from '../index.js';

const schema = rowSchema({
  flag: t.boolean().nullable(),
  small: t.int32().nullable(),
  big: t.int64().nullable(),
  ratio: t.float64().nullable(),
  amount: t.decimal().nullable(),
  name: t.string().nullable(),
  raw: t.bytes().nullable(),
  day: t.date().nullable(),
  moment: t.timestamp().nullable(),
  document: t.json().nullable(),
  reference: t.uuid().nullable(),
});

const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const noNul = (text: string) => !text.includes('\0');
const text = fc.string({ unit: 'binary' }).filter(noNul);
const awkward = fc.string({ unit: fc.constantFrom('\\', '\t', '\n', '\r', 'N', '.', 'é', '😀', ' ', "'") });

/** The earliest instant of PostgreSQL to the last of 63 bits. */
const moment = fc.bigInt({ min: -210_866_803_200_000_000n, max: 2n ** 63n - 1n });

const row = fc.record({
  flag: fc.option(fc.boolean()),
  small: fc.option(fc.integer()),
  big: fc.option(fc.oneof(int64, fc.maxSafeInteger())),
  ratio: fc.option(
    fc.oneof(
      fc.double(),
      fc.integer().map((cents) => cents / 100),
    ),
  ),
  amount: fc.option(fc.stringMatching(/^[+-]?[0-9]{1,30}(\.[0-9]{0,20})?$/)),
  name: fc.option(fc.oneof(text, awkward)),
  raw: fc.option(fc.uint8Array()),
  day: fc.option(
    fc
      .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
      .map((day) => day.toISOString().slice(0, 10)),
  ),
  moment: fc.option(fc.oneof(moment, fc.bigInt({ min: -(2n ** 51n), max: 2n ** 52n }))),
  document: fc.option(
    fc.jsonValue().filter((value) => noNul(JSON.stringify(value).replaceAll('\\u0000', '\0'))),
  ),
  reference: fc.option(fc.uuid()),
});

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  test(`any row comes out as it went in (seed ${seed})`, () =>
    withDatabase(getService(), async (fixture) => {
      const sink = await fixture.open({ table: 't', schema: rowSchema({ n: t.int32(), ...schema.columns }) });
      const session = await sink.recover(['0']);
      const rows = fc.sample(row, { numRuns: 2000, seed }).map((values, n) => ({ n, ...values }));
      await commit(session, { rows });
      const found = await fixture.query(`
        SELECT n, flag, small, big, ratio::text, amount, name, raw, day::text, document, reference,
          encode(timestamptz_send(moment), 'hex') AS moment FROM t ORDER BY n`);
      found.forEach((values, n) => expect(fromServer(values)).toEqual(expected(rows[n] ?? {})));
      expect(found).toHaveLength(rows.length);
    }));
});

/** In the server's terms: what differs in form alone is brought to one. */
function expected({ amount, raw, document, ratio, ...rest }: Row): Row {
  return {
    ...rest,
    big: typeof rest['big'] === 'bigint' || typeof rest['big'] === 'number' ? String(rest['big']) : null,
    amount: typeof amount === 'string' ? decimal(amount) : null,
    raw: raw instanceof Uint8Array ? Buffer.from(raw).toString('hex') : null,
    document: document === null ? null : JSON.parse(JSON.stringify(document)),
    ratio: typeof ratio === 'number' ? ratio : null,
  };
}

function fromServer({ moment: sent, amount, raw, ratio, ...rest }: Row): Row {
  const microseconds =
    typeof sent === 'string' ? BigInt.asIntN(64, BigInt(`0x${sent}`)) + 946_684_800_000_000n : null;
  return {
    ...rest,
    moment: microseconds,
    amount: typeof amount === 'string' ? decimal(amount) : null,
    raw: Buffer.isBuffer(raw) ? raw.toString('hex') : null,
    ratio: ratio === null ? null : Number(ratio),
  };
}

function decimal(text: string): string {
  const [, sign, whole = '', fraction = ''] = /^([+-]?)0*(\d*)\.?(\d*?)0*$/.exec(text) ?? [];
  const digits = `${whole}.${fraction}`;
  return sign === '-' && digits !== '.' ? `-${digits}` : digits;
}

describe('copyTextEncoder', () => {
  const { line, block, columns } = copyTextEncoder(rowSchema({ id: t.int64(), note: t.string().nullable() }));

  test('makes lines, and blocks of the same lines', () => {
    expect(columns).toEqual(['id', 'note']);
    const rows = Array.from({ length: 5000 }, (_, id) => ({
      id,
      note: id % 3 === 0 ? null : 'é\t'.repeat(id % 60),
    }));
    let text = '';
    for (let start = 0, blocks = 0; start < rows.length; blocks += 1) {
      const { bytes, next } = block(rows, start);
      expect(bytes.length).toBeLessThan(66_000);
      expect(next).toBeGreaterThan(start);
      text += bytes.toString();
      start = next;
    }
    expect(text).toBe(rows.map((row) => `${line(row)}\n`).join(''));
    expect(line({ id: 1n, note: 'two\nlines' })).toBe('1\ttwo\\nlines');
    expect(line({ id: 1n })).toBe('1\t\\N');
  });

  test('a row larger than a block is one block', () => {
    const note = 'ü'.repeat(1_000_000);
    const { bytes, next } = block([{ id: 1, note }, { id: 2 }], 0);
    // Not toEqual, which takes seconds for two megabytes.
    expect({ isWhole: bytes.equals(Buffer.from(`1\t${note}\n`)), next }).toEqual({ isWhole: true, next: 1 });
  });

  test('numbers are written so that the same number is read', () => {
    const ratios = copyTextEncoder(rowSchema({ ratio: t.float64() }));
    fc.assert(
      fc.property(
        fc.oneof(
          fc.double(),
          fc.integer().map((cents) => cents / 100),
        ),
        (ratio) => {
          expect(Number(ratios.line({ ratio }))).toBe(ratio);
        },
      ),
      { seed, numRuns: 5000 },
    );
    expect(ratios.line({ ratio: -0 })).toBe('-0');
    expect(ratios.line({ ratio: 0.5 })).toBe('0.50');
  });

  test.each([
    ['int32', t.int32(), [1.5, 2 ** 31, '1', 1n, NaN, true]],
    ['int64', t.int64(), [1.5, 2 ** 53, 2n ** 63n, '1', null, undefined]],
    ['float64', t.float64(), ['1', 1n]],
    ['decimal', t.decimal(5, 2), ['', '.', '1e3', 'NaN', '1.234', '1234', 1, '1 ', '-']],
    ['string', t.string(), ['a\0', '\ud800', 'a\udc00b', 1, Buffer.from('a')]],
    ['bytes', t.bytes(), ['a', [1]]],
    [
      'date',
      t.date(),
      ['2023-02-29', '2024-13-01', '0000-01-01', '2024-1-1', '10000-01-01', new Date(0), '2100-02-29'],
    ],
    ['timestamp', t.timestamp(), [0, '2024-01-01', new Date(NaN), 2n ** 63n, -210_866_803_200_000_001n]],
    [
      'json',
      t.json(),
      [
        undefined,
        () => 1,
        1n,
        'a\0',
        { a: '\ud800' },
        { '\0': 1 },
        '\udc00',
        { '\udfff': 1 },
        NaN,
        { a: [null, -Infinity] },
      ],
    ],
    ['uuid', t.uuid(), ['a0eebc99', '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}', 1]],
    ['boolean', t.boolean(), [1, 't']],
  ] as const)('what is no %s is refused, with its column', (_kind, column, values) => {
    const { line: lineOf } = copyTextEncoder(rowSchema({ value: column }));
    for (const value of values) {
      // @ts-expect-error -- what a program without types may hand out
      const failure = thrownBy(() => lineOf({ value }));
      expect([value, isEosError(failure, 'EOS_ROW') && failure.details]).toEqual([
        value,
        { column: 'value' },
      ]);
    }
  });

  test('JSON has a null of its own, where the column takes no other', () => {
    expect(copyTextEncoder(rowSchema({ value: t.json() })).line({ value: null })).toBe('null');
    expect(copyTextEncoder(rowSchema({ value: t.json().nullable() })).line({ value: null })).toBe('\\N');
    expect(copyTextEncoder(rowSchema({ value: t.json() })).line({ value: '\\u0000' })).toBe(
      '"\\\\\\\\u0000"',
    );
  });
});

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}
