import { expect, test } from '@jest/globals';
import type { PartitionReport, PipelineStatus } from './collect.js';
import { statusTable } from './table.js';

const now = Date.parse('2026-01-02T00:00:00Z');

const nothing: PartitionReport = {
  partition: 'c.ndjson.gz',
  epoch: null,
  offset: null,
  owner: null,
  connected: null,
  unit: 'bytes',
  lag: null,
  committedAt: null,
  unitsPerSecond: null,
  commitsPerSecond: null,
};

const status: PipelineStatus = {
  pipeline: 'visits',
  time: '2026-01-02T00:00:00.000Z',
  source: 'ndjson visits',
  sinks: [
    {
      sink: 'warehouse',
      description: 'postgres "visits"',
      partitions: [
        {
          partition: 'a.ndjson',
          epoch: '12345',
          offset: '9007199254740993',
          owner: '7',
          connected: true,
          unit: 'bytes',
          lag: '1234567',
          committedAt: '2026-01-01T23:59:57.000Z',
          unitsPerSecond: 22_100_000,
          commitsPerSecond: 3,
        },
        {
          ...nothing,
          partition: 'b.ndjson',
          epoch: '1',
          offset: '10',
          owner: '8',
          connected: false,
          lag: '0',
          committedAt: '2026-01-01T12:00:00.000Z',
        },
        nothing,
      ],
    },
    { sink: 'empty', description: 'memory', partitions: [] },
  ],
};

test('a line for each partition, and a question mark for what nobody knows', () => {
  expect(statusTable(status, now)).toBe(`\
visits, from ndjson visits

warehouse (postgres "visits")
  partition    offset                 left    commits  last commit  rate       owner
  a.ndjson     9,007,199,254,740,993  1.2 MB  12,345   3 s ago      22.1 MB/s  connected
  b.ndjson     10                     0 B     1        12 h ago     ?          not connected
  c.ndjson.gz  -                      ?       -        -            -          nobody yet

empty (memory)
  nothing was written yet
`);
});

test('why the source did not tell what is left', () => {
  const text = statusTable({ ...status, sinks: [], sourceError: 'EOS_SOURCE_UNAVAILABLE: gone' }, now);
  expect(text).toBe(
    'visits, from ndjson visits\nthe source does not tell what is left: EOS_SOURCE_UNAVAILABLE: gone\n',
  );
});
