import { describe, expect, test } from '@jest/globals';
import { callEos, withFolder } from '../eos.testing.js';

/** A pipeline whose sink keeps two letters in memory, of which the second is rejected for good. */
const MODULE = `
const letters = [
  { id: '1', partition: 'a.ndjson', offset: 9007199254740993n, op: '+I', row: { id: 1 }, code: 'EOS_ROW', message: 'too long',
    column: 'note', writtenAt: new Date(0) },
  { id: '2', partition: 'b.ndjson', op: '-D', row: { id: 2 }, code: 'EOS_ROW', message: 'no parent', writtenAt: new Date(1000) },
];
const sink = (abilities) => ({ description: 'm', capabilities: { changelog: 'append', atomic: 'transaction', durable: true }, abilities });
const deadLetters = async ({ pipeline, sink }) => ({
  async *list({ ids, partition, withReplayed, limit = Infinity }) {
    if (pipeline !== 'p' || sink !== 'kept') throw new Error('another record');
    const found = letters.filter((letter) => partition === undefined || letter.partition === partition);
    yield* found.slice(0, limit).map((letter) => (withReplayed ? { ...letter, replayedAt: new Date(2000) } : letter));
  },
  async replay({ ids = ['1', '2'] }) {
    return { replayed: ids.includes('1') ? 1 : 0, rejected: ids.includes('2') ? 1 : 0 };
  },
  async close() {
    process.env.EOS_TEST_CLOSED = String(Number(process.env.EOS_TEST_CLOSED ?? 0) + 1);
  },
});
const source = { description: 's', changelog: 'append', replayable: true };
export default { id: 'p', source, sinks: { kept: sink({ deadLetters }), other: sink({}) } };
`;

const call = (words: readonly string[], isTTY = false, module = MODULE) =>
  withFolder({ 'p.mjs': module }, (folder) => callEos(folder, words, { isTTY }));

describe('list', () => {
  test('a line of JSON for each, the oldest first', async () => {
    const { code, stdout, stderr } = await call(['dead-letters', 'list', 'p.mjs']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.trimEnd().split('\n')).toEqual([
      '{"id":"1","partition":"a.ndjson","offset":"9007199254740993","op":"+I","row":{"id":1},"code":"EOS_ROW","message":"too long",' +
        '"column":"note","writtenAt":"1970-01-01T00:00:00.000Z","replayedAt":null}',
      '{"id":"2","partition":"b.ndjson","offset":null,"op":"-D","row":{"id":2},"code":"EOS_ROW","message":"no parent",' +
        '"column":null,"writtenAt":"1970-01-01T00:00:01.000Z","replayedAt":null}',
    ]);
  });

  test('for people', async () => {
    expect((await call(['dead-letters', 'list', 'p.mjs', '--limit', '1'], true)).stdout).toBe(`\
1  1970-01-01T00:00:00.000Z  a.ndjson, offset 9007199254740993
    EOS_ROW: too long
    +I {"id":1}
1 dead letter
`);
    const all = await call(['dead-letters', 'list', 'p.mjs', '--all', '--partition', 'b.ndjson'], true);
    expect(all.stdout).toContain(
      '2  1970-01-01T00:00:01.000Z  b.ndjson (replayed 1970-01-01T00:00:02.000Z)\n',
    );
    expect((await call(['dead-letters', 'list', 'p.mjs', '--partition', 'none'], true)).stdout).toBe(
      'no dead letters\n',
    );
  });
});

describe('replay', () => {
  test('tells what became of them by its exit code, too', async () => {
    expect(await call(['dead-letters', 'replay', 'p.mjs'])).toMatchObject({
      code: 1,
      stdout: '{"replayed":1,"rejected":1}\n',
    });
    expect(await call(['dead-letters', 'replay', 'p.mjs', '1'], true)).toMatchObject({
      code: 0,
      stdout: '1 rows replayed, 0 rejected again\n',
    });
  });
});

describe('refused', () => {
  test.each([
    [['--sink', 'kpet'], 'no sink "kpet" keeps dead letters: did you mean "kept"?'],
    [['--sink', 'other'], 'no sink "other" keeps dead letters: there are kept'],
    [['--limit', '0'], '--limit must be a whole number from 1'],
  ])('%j', async (words, message) => {
    const { code, stderr } = await call(['dead-letters', 'list', 'p.mjs', ...words]);
    expect([code, stderr]).toEqual([2, `EOS_CONFIG: ${message}\n`]);
  });

  test('where there are none, and where there are several', async () => {
    const none = MODULE.replace('sink({ deadLetters })', 'sink({})');
    const several = MODULE.replace('other: sink({})', 'other: sink({ deadLetters })');
    const words = ['dead-letters', 'list', 'p.mjs'];
    expect((await call(words, false, none)).stderr).toBe(
      'EOS_CONFIG: none of the sinks can keep dead letters\n',
    );
    expect((await call(words, false, several)).stderr).toBe(
      'EOS_CONFIG: --sink must say which: kept, other\n',
    );
    expect((await call(['dead-letters'])).stderr).toMatch(
      /^EOS_CONFIG: eos dead-letters is not whole: dead-letters list or dead-letters replay\n/,
    );
  });
});

test('what was opened is closed, after a failure too', async () => {
  const closed = () => Number(process.env['EOS_TEST_CLOSED'] ?? 0);
  const before = closed();
  await call(['dead-letters', 'list', 'p.mjs']);
  expect(closed()).toBe(before + 1);
  const { code, stderr } = await call(
    ['dead-letters', 'list', 'p.mjs'],
    false,
    MODULE.replace("id: 'p'", "id: 'q'"),
  );
  expect([code, stderr]).toEqual([1, expect.stringMatching(/^eos failed unexpectedly: another record\n/)]);
  expect(closed()).toBe(before + 2);
});
