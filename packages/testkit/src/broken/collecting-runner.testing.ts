import type { TestRunner } from '../conformance/runner-port.js';

/** A test that was declared, to be run when it is asked for. */
export interface CollectedTest {
  readonly group: string;
  readonly name: string;
  /** What it failed with; undefined where it passed. A test that hangs has failed. */
  readonly run: () => Promise<unknown>;
}

const HANG_MS = 5_000;

/** A test runner that keeps the tests of a suite instead of running them. */
export function collectTests(
  expect: TestRunner['expect'],
  declare: (runner: TestRunner) => void,
): readonly CollectedTest[] {
  const tests: CollectedTest[] = [];
  const groups: string[] = [];
  declare({
    expect,
    describe: (name, body) => {
      groups.push(name);
      body();
      groups.pop();
    },
    test: (name, body) => {
      tests.push({ group: groups.at(-1) ?? '', name, run: () => failureWithin(HANG_MS, body) });
    },
  });
  return tests;
}

async function failureWithin(milliseconds: number, body: () => Promise<void>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const hang = new Promise((resolve) => {
    timer = setTimeout(() => resolve(new Error(`no end within ${milliseconds} ms`)), milliseconds);
  });
  const end = body().then(
    () => undefined,
    (error: unknown) => error ?? new Error('failed with nothing'),
  );
  try {
    return await Promise.race([end, hang]);
  } finally {
    clearTimeout(timer);
  }
}
