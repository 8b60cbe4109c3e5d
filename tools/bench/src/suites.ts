import { POSTGRES_CASES } from './cases/index.js';
import { withLaboratory } from './laboratory.js';
import { suiteOf, type BenchSuite } from './suite.js';

/** By the name that `npm run bench --` takes. */
export const SUITES: Readonly<Record<string, BenchSuite>> = {
  postgres: suiteOf(POSTGRES_CASES, withLaboratory),
};
