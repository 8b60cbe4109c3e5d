import { expect, test } from '@jest/globals';
import type { VerifyReport } from './report.js';
import { reportText } from './report-text.js';

const report: VerifyReport = {
  pipeline: 'visits',
  sink: 'warehouse',
  source: 'ndjson visits.ndjson',
  destination: 'table "public"."visits"',
  verdict: 'different',
  positions: { 'visits.ndjson': '1234' },
  expected: 1_000_000,
  found: 1_000_001,
  counts: { lost: 1, doubled: 3, changed: 1, foreign: 2 },
  unjudged: 0,
  rows: [
    {
      kind: 'lost',
      copies: 1,
      row: { id: '17', note: null },
      partition: 'visits.ndjson',
      offset: '100',
      nextOffset: '200',
    },
    {
      kind: 'doubled',
      copies: 3,
      row: { id: '18', note: 'null' },
      partition: 'visits.ndjson',
      offset: '118',
    },
    {
      ...{ kind: 'changed', copies: 1, row: { id: '19' }, partition: 'visits.ndjson', offset: '119' },
      columns: { note: { expected: 'two words', found: null }, rain: { expected: '1.5', found: '2' } },
    },
    { kind: 'foreign', copies: 1, row: { id: '-1', note: 'x'.repeat(100) } },
  ],
  notes: ['3 changes are dead letters, and not expected'],
};

test('the report names counts, rows with their places, what was left out, and the verdict', () => {
  expect(reportText(report)).toBe(
    `visits/warehouse: table "public"."visits" against ndjson visits.ndjson
up to visits.ndjson at 1234
1,000,000 rows expected, 1,000,001 found: 1 lost, 3 doubled, 1 changed, 2 foreign
lost: id=17 note=null (visits.ndjson, offsets 100 to 200)
doubled 3 times: id=18 note="null" (visits.ndjson, offset 118)
changed: id=19: note should be "two words", is null; rain should be 1.5, is 2 (visits.ndjson, offset 119)
foreign: id=-1 note="${'x'.repeat(60)}…"
… 1 more foreign
note: 3 changes are dead letters, and not expected
different`,
  );
});

test('a report without a verdict gives the reason only', () => {
  const counts = { lost: 0, doubled: 0, changed: 0, foreign: 0 };
  const nothing: VerifyReport = { ...report, verdict: 'unrepeatable', rows: [], counts, notes: ['why'] };
  expect(reportText(nothing).split('\n')).toEqual([
    'visits/warehouse: table "public"."visits" against ndjson visits.ndjson',
    'note: why',
    'cannot be verified',
  ]);
});
