import { afterAll, describe, expect, test } from '@jest/globals';
import { Laboratory } from './laboratory.testing.js';
import { MUTANTS } from './mutants.testing.js';
import { testSeed } from './seed.testing.js';

/** The rarest is found by one schedule in about 700. */
const MOST_SCHEDULES = 10_000;

const seed = testSeed();

describe(`the core with one rule broken is found out (EOS_TEST_SEED=${seed})`, () => {
  const found: string[] = [];
  afterAll(() => console.log(found.join('\n')));

  test.each(MUTANTS)(
    '$name',
    async ({ name, patches }) => {
      const laboratory = await Laboratory.open(patches);
      try {
        const { passed, failed, output } = await laboratory.run(MOST_SCHEDULES, seed);
        const how = /FAILED: (.*)/.exec(output)?.[1] ?? '';
        found.push(
          `${String(passed + failed).padStart(5)} schedules: ${name}\n${' '.repeat(17)}${how.slice(0, 150)}`,
        );
        expect(failed).toBe(1);
      } finally {
        await laboratory.close();
      }
    },
    120_000,
  );

  test('a schedule that fails is repeated by the seed that it prints', async () => {
    const laboratory = await Laboratory.open(MUTANTS[0]?.patches);
    try {
      const { output } = await laboratory.run(MOST_SCHEDULES, seed);
      const [, failing] = /repeat it with --schedules 1 --seed (\d+)/.exec(output) ?? [];
      const again = await laboratory.run(1, Number(failing));
      const traceOf = (text: string) => text.slice(text.indexOf('\n'), text.indexOf('repeat it'));
      expect(traceOf(again.output)).toBe(traceOf(output));
    } finally {
      await laboratory.close();
    }
  });

  test('a patch that does not fit is an error', async () => {
    const patch = { file: 'claims.ts', find: 'throw fencedError(partition)', replace: '' };
    await expect(Laboratory.open([patch])).rejects.toThrow('claims.ts holds 2 times');
  });
});
