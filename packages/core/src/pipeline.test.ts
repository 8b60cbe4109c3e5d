import { describe, expect, jest, test } from '@jest/globals';
import { memorySink, memoryStore, pipeline } from './index.js';
import { failureOf, numbers, upTo, type Row } from './runner/numbers.testing.js';

const soon = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
describe('options', () => {
  const sinks = { m: memorySink(memoryStore<Row>()) };
  const source = numbers(1);

  test.each([
    ['no id', { source, sinks }],
    ['no source', { id: 'p', sinks }],
    ['no sinks', { id: 'p', source }],
    ['two sinks', { id: 'p', source, sinks: { ...sinks, n: sinks.m } }],
    ['half a row', { id: 'p', source, sinks, trigger: { rows: 2.5 } }],
    ['a negative time', { id: 'p', source, sinks, stopTimeoutMs: -1 }],
    ['another guarantee', { id: 'p', source, sinks, guarantee: 'perfect' }],
  ])('%s is refused', (_, options) => {
    // As a program in JavaScript might call it.
    const untyped = pipeline as (options: unknown) => unknown;
    expect(() => untyped(options)).toThrow(expect.objectContaining({ code: 'EOS_CONFIG' }));
  });

  test('a signal that cannot be caught is refused, and many pipelines share one listener', async () => {
    expect(await failureOf(pipeline({ id: 'p', source, sinks }).run({ signals: ['SIGKILL'] }))).toMatchObject(
      { code: 'EOS_CONFIG' },
    );
    const warned = jest.fn();
    process.on('warning', warned);
    const before = process.listenerCount('SIGTERM');
    const runs = upTo(20).map((index) => pipeline({ id: `p${index}`, source: numbers(20), sinks }).run());
    expect(process.listenerCount('SIGTERM')).toBe(before + 1);
    await Promise.all(runs);
    await soon(1);
    expect(process.listenerCount('SIGTERM')).toBe(before);
    expect(warned).not.toHaveBeenCalled();
    process.removeListener('warning', warned);
  });
});
