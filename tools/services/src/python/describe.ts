import { describeWith } from '../resolve/describe.js';
import type { TestRunner } from '../resolve/describe.js';
import { missingForPython } from './packages.js';
import type { PythonRequirement } from './packages.js';
import { startPython } from './runner.js';
import type { Python } from './runner.js';

/**
 * Declares tests that need Python with packages. Without Python the tests are skipped with the reason, in CI they fail.
 *
 * @example
 * describeWithPython({ describe, beforeAll, afterAll }, ['pyarrow'], (getPython) => {
 *   test('…', async () => {
 *     const rows = await getPython().run('def main(input): return input', { input: [1] });
 *   });
 * });
 */
export function describeWithPython(
  runner: TestRunner,
  requirements: readonly PythonRequirement[],
  body: (getPython: () => Python) => void,
): void {
  const name = ['python', ...requirements].join(' with ');
  describeWith(runner, name, missingForPython(), () => startPython(requirements), body);
}
