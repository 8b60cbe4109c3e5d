import type { Destination } from './destination.js';
import type { TestRunner } from './runner-port.js';
import { World } from './world.js';

export interface SuiteOptions extends TestRunner {
  /** Makes a fresh, empty destination. Called once for each test. */
  readonly create: () => Promise<Destination>;
}

/** How a file of laws declares its tests. */
export interface Suite {
  /** The seed of all that is random in this run. */
  readonly seed: number;
  readonly group: (name: string, body: () => void) => void;
  /** A test with a destination of its own. */
  readonly test: (name: string, body: (world: World) => Promise<void>, timeoutMs?: number) => void;
}

const TEST_TIMEOUT_MS = 60_000;

export function suiteOf({ describe, test, expect, create }: SuiteOptions): Suite {
  return {
    seed: chosenSeed(),
    group: (name, body) => void describe(name, body),
    test: (name, body, timeoutMs = TEST_TIMEOUT_MS) => {
      const run = async () => {
        const world = new World(await create(), expect);
        try {
          await body(world);
        } finally {
          await world.close();
        }
      };
      test(name, run, timeoutMs);
    },
  };
}

/** `EOS_TEST_SEED`, or another one each time. The names of random tests carry it. */
function chosenSeed(): number {
  const given = process.env['EOS_TEST_SEED'];
  if (given !== undefined && /^\d{1,10}$/.test(given)) return Number(given) % 2 ** 31;
  return Math.floor(Math.random() * 2 ** 31);
}
