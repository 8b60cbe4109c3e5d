import { expect, test } from '@jest/globals';
import type { Metadata } from './actions.js';
import { checkRetention, fileRetentionMs, logRetentionMs, parseInterval } from './retention.js';

const HOUR = 3_600_000;

function table(configuration: Readonly<Record<string, string>>): Metadata {
  return {
    id: '',
    provider: 'parquet',
    formatOptions: {},
    schemaString: '',
    partitionColumns: [],
    configuration,
  };
}

test.each([
  ['interval 30 days', 30 * 24 * HOUR],
  ['interval 1 week', 7 * 24 * HOUR],
  ['INTERVAL 1 Week 2 Days 3 hours', (9 * 24 + 3) * HOUR],
  ['2 minutes 1 second 5 milliseconds', 121_005],
  ['interval 1500 microseconds', 1.5],
  ['interval', undefined],
  ['interval 1 month', undefined],
  ['interval one week', undefined],
  ['', undefined],
])('%s', (text, milliseconds) => {
  expect(parseInterval(text)).toBe(milliseconds);
});

test('by default commits are kept for 30 days and tombstones for a week', () => {
  expect([logRetentionMs(table({})), fileRetentionMs(table({}))]).toEqual([30 * 24 * HOUR, 7 * 24 * HOUR]);
});

test.each([
  ['delta.setTransactionRetentionDuration', 'interval 365 days'],
  ['delta.logRetentionDuration', 'interval 59 minutes'],
  ['delta.logRetentionDuration', 'a while'],
])('%s = %s is refused by name: a position could be lost', (property, value) => {
  expect(() => checkRetention(table({ [property]: value }))).toThrow(
    expect.objectContaining({ code: 'EOS_SCHEMA', details: { property, value } }),
  );
});

test('an hour of log is enough', () => {
  expect(() => checkRetention(table({ 'delta.logRetentionDuration': 'interval 1 hour' }))).not.toThrow();
});
