import { describe, expect, test } from '@jest/globals';
import { callEos, withFolder } from '../eos.testing.js';

/** A pipeline whose sink has two transactions open, of which the first lingers. */
const MODULE = `
const open = [
  { id: 'p/kafka/a', partition: 'a', state: 'Ongoing', startedAt: new Date(0), timeoutMs: 60000, touches: ['t/0', 't/1'], isLingering: true },
  { id: 'p/kafka/b', partition: 'b', state: 'Ongoing', startedAt: new Date(), timeoutMs: 60000, touches: ['t/2'], isLingering: false },
];
const transactions = async ({ pipeline, sink }) => {
  if (pipeline !== 'p' || sink !== 'kafka') throw new Error('another record');
  return {
    list: async () => open,
    abort: async (id) => { if (!id.startsWith('p/kafka/')) throw new Error('of another sink'); },
    close: async () => { process.env.EOS_TEST_CLOSED_TXNS = 'yes'; },
  };
};
const sink = (abilities) => ({ description: 'm', capabilities: { changelog: 'append', atomic: 'transaction', durable: true }, abilities });
const source = { description: 's', changelog: 'append', replayable: true };
export default { id: 'p', source, sinks: { kafka: sink({ transactions }), other: sink({}) } };
`;

const call = (words: readonly string[], isTTY = false) =>
  withFolder({ 'p.mjs': MODULE }, (folder) => callEos(folder, words, { isTTY }));

describe('txns list', () => {
  test('prints a line of JSON for each', async () => {
    const { code, stdout, stderr } = await call(['txns', 'list', 'p.mjs']);
    expect([code, stderr]).toEqual([0, '']);
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      id: 'p/kafka/a',
      partition: 'a',
      state: 'Ongoing',
      startedAt: '1970-01-01T00:00:00.000Z',
      timeoutMs: 60_000,
      touches: ['t/0', 't/1'],
      lingering: true,
    });
    expect(process.env['EOS_TEST_CLOSED_TXNS']).toBe('yes');
  });

  test('tells people which of them linger', async () => {
    const { stdout } = await call(['txns', 'list', 'p.mjs'], true);
    expect(stdout).toMatch(
      /p\/kafka\/a\n {4}Ongoing, for .*, LINGERS \(its timeout is 1 min\)\n {4}t\/0, t\/1\n/,
    );
    expect(stdout.match(/LINGERS/g)).toHaveLength(1);
    expect(stdout).toContain('2 open transactions\n');
  });
});

describe('txns abort', () => {
  test('ends those that linger, or those that are named', async () => {
    expect((await call(['txns', 'abort', 'p.mjs', '--lingering'])).stdout).toBe('aborted p/kafka/a\n');
    expect((await call(['txns', 'abort', 'p.mjs', 'p/kafka/b'])).stdout).toBe('aborted p/kafka/b\n');
  });

  test('wants to be told which', async () => {
    for (const words of [[], ['p/kafka/b', '--lingering']]) {
      const { code, stderr } = await call(['txns', 'abort', 'p.mjs', ...words]);
      expect(code).not.toBe(0);
      expect(stderr).toContain('name the ids, or say --lingering');
    }
  });
});
