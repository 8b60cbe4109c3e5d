import { EosError, type PartitionId, type Position, type Positions, type SourceLag } from '@eos/core';
import { describe, expect, test } from '@jest/globals';
import type { LoadedPipeline } from '../configuration/load.js';
import { callEos, installCore, withFolder } from '../eos.testing.js';
import { openBar } from './progress-bar.js';
import type { RunEnd } from './reporter.js';
import { Tally } from './tally.js';
import { lineOf, summaryOf, terminalReporter } from './terminal.js';

const common = { pipeline: 'p', sink: 's' };

function at(offset: bigint, epoch = 1n): Positions {
  const position: Position = { epoch, offset, txId: 1n, owner: 1n, source: {}, target: 't' };
  return new Map([['a', position]]);
}

function commit(rows: number, offset: bigint): Parameters<Tally['add']>[0] {
  const message = {
    ...common,
    txId: 1n,
    positions: at(offset),
    rows,
    written: rows,
    rejected: 0,
    milliseconds: 5,
  };
  return { name: 'eos:commit', message };
}

const lag = (entries: Record<PartitionId, Partial<SourceLag>>): ReadonlyMap<PartitionId, SourceLag> =>
  new Map(
    Object.entries(entries).map(([name, one]) => [
      name,
      { unit: 'bytes', behind: undefined, total: undefined, ...one },
    ]),
  );

describe('the line of a run', () => {
  test('from the first look to trouble and back', () => {
    const tally = new Tally();
    expect(lineOf(tally, 0)).toBe('0 rows, 0 rows/s, 0 commits, starting');
    tally.add({ name: 'eos:claim', message: { ...common, owner: 1n, positions: at(1_000n) } }, 0);
    tally.lag = lag({ a: { behind: 9_000n, total: 10_000n }, b: { behind: 5_000_000n, total: 5_000_000n } });
    tally.add(commit(100, 2_000n), 1_000);
    tally.add(commit(400, 4_000n), 2_000);
    // 400 rows came in the second between the two, and there are three seconds more without any.
    expect(lineOf(tally, 2_000)).toBe('500 rows, 400 rows/s, 2 commits, 5.0 MB left');
    expect(lineOf(tally, 5_000)).toBe('500 rows, 100 rows/s, 2 commits, 5.0 MB left');
    expect(tally.progress()).toEqual({ done: 4_000, total: 5_010_000, unit: 'bytes' });
    const error = new EosError('EOS_UNAVAILABLE', 'gone');
    tally.add({ name: 'eos:retry', message: { ...common, error, attempt: 1, delay: 10 } }, 5_000);
    expect(lineOf(tally, 9_000)).toBe(
      '500 rows, 0 rows/s, 2 commits, 5.0 MB left, 1 recoveries, EOS_UNAVAILABLE, trying again',
    );
    tally.add(commit(1_000_000, 10_000n), 9_500);
    expect(lineOf(tally, 20_000)).toBe('1,000,500 rows, 0 rows/s, 3 commits, 5.0 MB left, 1 recoveries');
  });

  test('no bar where a part of the source cannot tell its length', () => {
    const tally = new Tally();
    expect(tally.progress()).toBeUndefined();
    tally.lag = lag({ a: { behind: 1n, total: 2n }, b: {} });
    expect(tally.progress()).toBeUndefined();
  });

  test('a last record that ends in front of the end of its file is the end', () => {
    const tally = new Tally();
    tally.add(commit(1, 9n), 0);
    tally.lag = lag({ a: { behind: 0n, total: 10n } });
    expect(tally.progress()).toEqual({ done: 10, total: 10, unit: 'bytes' });
  });
});

describe('the summary', () => {
  const end: RunEnd = {
    reason: 'end',
    exitCode: 0,
    rows: 12_000,
    written: 12_000,
    rejected: 0,
    commits: 2,
    recoveries: 0,
    seconds: 4,
  };

  test.each([
    [{}, 'done: 12,000 rows in 2 commits, 4.0 s, 3,000 rows/s'],
    [{ rejected: 3 }, 'done: 12,000 rows in 2 commits, 4.0 s, 3,000 rows/s, 3 bad rows set aside'],
    [{ seconds: 0 }, 'done: 12,000 rows in 2 commits, 0.0 s'],
    [
      { reason: 'failed', recoveries: 20 },
      'failed: 12,000 rows in 2 commits, 4.0 s, 3,000 rows/s, 20 recoveries',
    ],
    [
      { reason: 'fenced' },
      'ended, since another copy took over: 12,000 rows in 2 commits, 4.0 s, 3,000 rows/s',
    ],
    [
      { reason: 'stopped', error: { code: 'EOS_UNKNOWN_OUTCOME', message: 'lost' } },
      'stopped before the end; run it again to go on: 12,000 rows in 2 commits, 4.0 s, 3,000 rows/s ' +
        '(the last commit: EOS_UNKNOWN_OUTCOME)',
    ],
  ] as const)('%j', (changes, text) => {
    expect(summaryOf({ ...end, ...changes })).toBe(text);
  });
});

/** What cli-progress uses of a terminal. */
class Terminal {
  readonly isTTY = true;
  readonly columns = 200;
  text = '';
  write(text: string): boolean {
    this.text += text;
    return true;
  }
  cursorTo(): void {
    this.text += '\r';
  }
  clearLine(): void {}
}

test('in a terminal a bar moves, and gives the cursor back', () => {
  const terminal = new Terminal();
  const bar = openBar(terminal);
  bar.show('10 rows', undefined);
  bar.show('20 rows', 0.5);
  bar.stop();
  expect(terminal.text).toContain('██████████░░░░░░░░░░  50 %  20 rows');
  expect(terminal.text).toContain('\u001B[?25l');
  expect(terminal.text.lastIndexOf('\u001B[?25h')).toBeGreaterThan(terminal.text.lastIndexOf('\u001B[?25l'));
});

test('elsewhere there is a first and a last line, and no escapes', () => {
  let text = '';
  const source = {
    description: 'ndjson a',
    changelog: 'append',
    replayable: true,
  } as LoadedPipeline['options']['source'];
  const reporter = terminalReporter({ write: (more) => (text += more) }, source);
  reporter.start({ pipeline: 'p', source: 'ndjson a', sinks: ['s (m)'], guarantee: 'exactly-once' });
  reporter.event(commit(5, 5n));
  reporter.stop('SIGTERM');
  reporter.end({
    reason: 'end',
    exitCode: 0,
    rows: 5,
    written: 5,
    rejected: 0,
    commits: 1,
    recoveries: 0,
    seconds: 1,
  });
  expect(text).toBe('p: ndjson a to s (m), exactly-once\ndone: 5 rows in 1 commits, 1.0 s, 5 rows/s\n');
});

const MODULE = `
import { iterableSource, memorySink, memoryStore } from '@eos/core';
export default { id: 'numbers', source: iterableSource({ items: [{ n: 1 }, { n: 2 }] }),
  sinks: { memory: memorySink(memoryStore()) } };
`;

test('whether somebody looks at standard output decides what a run prints', async () => {
  await withFolder({ 'numbers.mjs': MODULE }, async (folder) => {
    await installCore(folder);
    const call = (words: string[], isTTY: boolean) =>
      callEos(folder, ['run', 'numbers.mjs', ...words], { isTTY });
    expect(await call(['--quiet'], true)).toEqual({ code: 0, stdout: '', stderr: '' });
    // The rows are there since the call before.
    const lines = (await call(['--json'], true)).stdout.trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { event: string }).event)).toEqual([
      'start',
      'claim',
      'end',
    ]);
    const piped = await call([], false);
    expect([piped.code, piped.stderr]).toEqual([0, '']);
    expect(piped.stdout).toMatch(/^\{"time":/);
  });
});
