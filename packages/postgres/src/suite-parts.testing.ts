/** Parts of the conformance suite, for ways of writing that have the rest in common with another one, which runs all of it. */
import type { TestRunner } from '@eos/testkit';

/** The test that fills a server with commits, for as long as it may: what it asks does not depend on how rows get in. */
export const MANY_COMMITS = /^ten thousand small commits/;

/**
 * @param groups of the suite that run; default: all. One that the suite does not have fails the file
 * @param without tests of these names
 */
export function partOf(
  { describe, test }: Pick<TestRunner, 'describe' | 'test'>,
  { groups, without }: { readonly groups?: readonly string[]; readonly without?: RegExp },
): Pick<TestRunner, 'describe' | 'test'> {
  const missing = new Set(groups);
  const runWhole = (body: () => void) => {
    body();
    if (missing.size > 0) throw new Error(`the suite has no group ${[...missing].join(', ')}`);
  };
  return {
    describe: (name, body) => {
      if (name.startsWith('conformance')) describe(name, () => runWhole(body));
      else if (missing.delete(name) || groups === undefined) describe(name, body);
    },
    test: (name, body, timeoutMs) => {
      if (without?.test(name) !== true) test(name, body, timeoutMs);
    },
  };
}
