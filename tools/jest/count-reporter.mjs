import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';

/** Leaves how many tests passed, failed and were skipped in `.cache/test-results`, for the sum that CI prints. */
export default class CountReporter {
  #projectRoot;

  constructor(globalConfig) {
    this.#projectRoot = globalConfig.rootDir;
  }

  onRunComplete(_contexts, results) {
    const folder = resolve(this.#projectRoot, '../../.cache/test-results');
    mkdirSync(folder, { recursive: true });
    const counts = {
      passed: results.numPassedTests,
      failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
      skipped: results.numPendingTests,
    };
    writeFileSync(resolve(folder, `${this.#projectName()}.json`), JSON.stringify(counts) + '\n');
  }

  #projectName() {
    return basename(this.#projectRoot);
  }
}
