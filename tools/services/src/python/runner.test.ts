import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { describeWithPython } from './describe.js';

describeWithPython({ describe, beforeAll, afterAll }, [], (getPython) => {
  test('a script gets JSON and gives JSON, whatever it prints', async () => {
    const script = `
import os
def main(input):
    print('noise')
    os.system('echo more noise')
    return {'doubled': [2 * number for number in input], 'text': 'é😀', 'bytes': b'\\x01\\xff'}
`;
    const result = await getPython().run(script, { input: [1, 2] });
    expect(result).toEqual({ doubled: [2, 4], text: 'é😀', bytes: '01ff' });
  });

  test('a large answer comes whole', async () => {
    const result = await getPython().run('def main(input): return "x" * 5_000_000');
    expect(result).toHaveLength(5_000_000);
  });

  test('a failure shows the traceback', async () => {
    const run = getPython().run('def main(input):\n    raise ValueError("as asked")');
    await expect(run).rejects.toMatchObject({
      code: 'EOS_SERVICE_FAILED',
      message: expect.stringContaining('as asked'),
    });
  });

  test('a script that does not end is killed', async () => {
    const run = getPython().run('import time\ndef main(input): time.sleep(60)', { timeoutMilliseconds: 500 });
    await expect(run).rejects.toThrow('after 500 ms');
  });

  test('an abort at exit does not spoil the answer', async () => {
    const script = `
import atexit, os
atexit.register(os.abort)
def main(input): return 'there'
`;
    expect(await getPython().run(script)).toBe('there');
  });
});

describeWithPython({ describe, beforeAll, afterAll }, ['pyarrow'], (getPython) => {
  test('has the package that was asked for', async () => {
    const result = await getPython().run('import pyarrow\ndef main(input): return pyarrow.__version__');
    expect(result).toBe('24.0.0');
  });
});
