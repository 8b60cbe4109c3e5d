import { describe, expect, test } from '@jest/globals';
import { isEosError, rowSchema, t } from '@eos/core';
import { postgresSink, type PostgresSinkOptions } from './index.js';

const schema = rowSchema({ id: t.int64(), note: t.string() });
const fine: PostgresSinkOptions = { connection: 'postgresql://localhost/test', table: 'flights' };

describe('options', () => {
  test.each<[option: string, wrong: Record<string, unknown>]>([
    ['connection', { connection: undefined }],
    ['connection', { connection: 5432 }],
    ['table', { table: '' }],
    ['table', { table: 'a.b.c' }],
    ['table', { table: { schema: 'a', name: '' } }],
    ['table', { table: 'x'.repeat(64) }],
    ['table', { table: undefined }],
    ['mode', { mode: 'replace' }],
    ['key', { key: ['id'] }],
    ['key', { mode: 'upsert' }],
    ['key', { mode: 'upsert', key: [] }],
    ['key', { mode: 'upsert', key: 'id' }],
    ['key', { mode: 'upsert', key: ['id', 'id'] }],
    ['key', { mode: 'upsert', key: ['other'], schema }],
    ['columns', { columns: ['id'], schema }],
    ['columns', { columns: [1] }],
    ['create', { create: true }],
    ['create', { create: 'yes', schema }],
    ['terminateBlocking', { terminateBlocking: 0 }],
    ['lockTimeoutMs', { lockTimeoutMs: 0 }],
    ['lockTimeoutMs', { lockTimeoutMs: '5' }],
    ['commitTimeoutMs', { commitTimeoutMs: 1.5 }],
    ['statementTimeoutMs', { statementTimeoutMs: 2 ** 31 }],
    ['idleInTransactionTimeoutMs', { idleInTransactionTimeoutMs: -1 }],
  ])('a wrong %s is named: %j', (option, wrong) => {
    const failure = failureOf({ ...fine, ...wrong });
    expect(failure).toMatchObject({ code: 'EOS_CONFIG', details: { option } });
    expect(failure.message).toMatch(new RegExp(`^${option}: `));
  });

  test('say what the sink can do, and where it writes, without the password', () => {
    const upsert = postgresSink({
      ...fine,
      connection: 'postgresql://me:secret@db/test',
      mode: 'upsert',
      key: ['id'],
      schema,
    });
    expect(upsert.capabilities).toMatchObject({
      changelog: 'upsert',
      key: ['id'],
      atomic: 'transaction',
      staging: true,
    });
    expect(upsert.description).toBe('postgres "flights"');
    expect(postgresSink({ ...fine, table: 'Sales.Flights' }).description).toBe('postgres "Sales"."Flights"');
    expect(postgresSink({ ...fine, table: { name: 'a.b' } }).description).toBe('postgres "a.b"');
  });
});

function failureOf(options: Record<string, unknown>): { message: string } {
  try {
    // @ts-expect-error -- what a program without types may say
    postgresSink(options);
  } catch (error) {
    if (isEosError(error)) return error;
    throw error;
  }
  throw new Error('the options were taken');
}
