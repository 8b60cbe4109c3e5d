/** What the suite needs of a test runner: jest, vitest, and node:test with an `expect` all have it. */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  /** The last argument is the longest time that the test may take, in milliseconds. */
  readonly test: (name: string, body: () => Promise<void>, timeoutMs?: number) => unknown;
  readonly expect: (actual: unknown) => Expectation;
}

export interface Expectation {
  toEqual(expected: unknown): unknown;
}
