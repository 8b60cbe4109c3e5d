/** Types of shapes, networks, bits, lists, records, ranges, domains and the system's own. */
import { t } from '@eos/core';
import { textValue, type HeldType } from './held-type.testing.js';

export const SHAPES: readonly HeldType[] = [
  {
    type: 'boolean',
    values: [
      [true, 'true'],
      [false, 'false'],
    ],
    refused: [1, 't'],
    isKey: true,
    column: t.boolean(),
  },
  ...(['point', 'line', 'lseg', 'box', 'path', 'polygon', 'circle'] as const).map(
    (type, index): HeldType => ({
      type,
      values: [
        '(1.5,-2)|{1,2,3}|[(0,0),(1,1)]|(1,1),(0,0)|[(0,0),(1,1),(2,0)]|((0,0),(1,1),(2,0))|<(1,2),3>'.split(
          '|',
        )[index] ?? '',
      ],
      refused: ['round', 5],
      hasEquality: false,
    }),
  ),
  { type: 'cidr', values: ['10.0.0.0/8', '2001:db8::/32'], refused: ['10.0.0.1/8'] },
  { type: 'inet', values: ['192.168.0.1', '::1/64', '10.0.0.1/8'], refused: ['300.0.0.1'] },
  { type: 'macaddr', values: ['08:00:2b:01:02:03'], refused: ['x'] },
  { type: 'macaddr8', values: ['08:00:2b:01:02:03:04:05'], refused: ['x'] },
  { type: 'bit(3)', values: ['101'], refused: ['10', '1011', '2'] },
  { type: 'bit varying(5)', values: ['', '10101'], refused: ['101010'] },
];

export const COMPOUNDS: readonly HeldType[] = [
  {
    type: 'int[]',
    values: ['{}', '{1,NULL,3}', '{{1,2},{3,4}}', '[0:1]={1,2}'],
    refused: ['{1', '{a}', '{{1},{2,3}}', 5],
  },
  {
    type: 'text[]',
    values: ['{"a,b","c\\"d",NULL,"NULL","","back\\\\slash","{}"}', '{"line\nbreak","\ttab"}'].map(textValue),
    refused: ['{"a}', '{"a\0"}'],
  },
  { type: 'numeric(4,1)[]', values: ['{1.5,-0.1,NaN}'], refused: ['{12345}'] },
  { type: 'float8[]', values: ['{NaN,-0,Infinity,5e-324}'] },
  { type: 'timestamptz[]', values: ['{"2024-02-29 12:00:00+02",infinity}'], refused: ['{soon}'] },
  { type: 'bytea[]', values: [textValue('{"\\\\x00ff",NULL}')] },
  { type: 'jsonb[]', values: [textValue('{"{\\"a\\": [1, null]}",NULL}')], refused: ['{x}'] },
  { type: 'mood[]', values: ['{sad,NULL}'], refused: ['{glad}'] },
  { type: 'box[]', values: ['{(1,1),(0,0);(3,3),(2,2)}'], hasEquality: false },
  { type: 'pair[]', values: [textValue('{"(1,\\"a,b\\")","(,)",NULL}')] },
  { type: 'pair', values: [textValue(`(1,"a,""b"" it's")`), '(,)', '(2,"")'], refused: ['(1)', '(a,b)', 5] },
  { type: 'int4range', values: ['[1,5)', 'empty', '(,3]', '[1,1]'], refused: ['[5,1)', 'x'] },
  { type: 'numrange', values: ['(,1.5]'] },
  { type: 'tstzrange', values: ['["2024-01-01 00:00:00+00",infinity)'] },
  { type: 'daterange', values: ['[2024-01-01,2024-01-31]'] },
  { type: 'floats', values: ['[0.5,NaN)'] },
  { type: 'int4multirange', values: ['{}', '{[1,3),[5,9)}', '{[1,3),[2,9)}'], refused: ['{[3,1)}'] },
  { type: 'positive', values: [[5, '5']], refused: [-5, 0], isKey: true, column: t.int32() },
  { type: 'tiny', values: [[9, '9']], refused: [0, 10], isKey: true, column: t.int32() },
  {
    type: 'price',
    values: ['1234.50'],
    refused: ['1.234', null],
    isKey: true,
    isRequired: true,
    column: t.decimal(6, 2),
  },
  { type: 'codes', values: ['{a,b}'], refused: ['{a,b,c}'] },
];

export const SYSTEM: readonly HeldType[] = [
  { type: 'oid', values: ['4294967295'], refused: ['4294967296'] },
  ...(
    [
      ['regclass', 'pg_class'],
      ['regtype', 'integer'],
      ['regprocedure', 'abs(integer)'],
      ['regoperator', '+(integer,integer)'],
      ['regnamespace', 'pg_catalog'],
      ['regconfig', 'english'],
    ] as const
  ).map(([type, value]): HeldType => ({ type, values: [value], refused: ['no such thing'] })),
  { type: 'pg_lsn', values: ['16/B374D848', 'FFFFFFFF/FFFFFFFF'], refused: ['x'] },
  { type: 'xid', values: ['4294967295'], isHashedOnly: true },
  { type: 'xid8', values: ['18446744073709551615'] },
  { type: 'tid', values: ['(1,2)'], refused: ['x'] },
  { type: 'pg_snapshot', values: ['10:20:10,14,15'], refused: ['x'], hasEquality: false },
];
