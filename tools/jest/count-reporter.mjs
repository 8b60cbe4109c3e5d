import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, relative, resolve } from 'node:path';

/** How long a process may go on after its last test. */
const GRACE_MS = 30_000;

/** Leaves in `.cache/test-results` how many tests passed, failed and were skipped, and what failed, for the summary that CI prints. */
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
      failures: results.testResults.flatMap((file) => this.#failuresOf(file)),
    };
    writeFileSync(resolve(folder, `${this.#projectName()}.json`), JSON.stringify(counts) + '\n');
    this.#endLater(counts.failed);
  }

  /** A test that failed may have left open what keeps the process alive, and all that waits for it. */
  #endLater(failed) {
    const end = () => {
      const open = process.getActiveResourcesInfo();
      process.stderr.write(`${this.#projectName()}: ended, it still had open: ${open.join(', ')}\n`);
      process.exit(failed === 0 ? 0 : 1);
    };
    setTimeout(end, GRACE_MS).unref();
  }

  /** A file that cannot be loaded has a message and no tests. */
  #failuresOf({ testFilePath, testResults, testExecError, failureMessage }) {
    const file = relative(resolve(this.#projectRoot, '../..'), testFilePath);
    if (testExecError) return [{ file, name: 'the file itself', message: failureMessage ?? '' }];
    return testResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName, failureMessages }) => ({
        file,
        name: fullName,
        message: failureMessages.join('\n'),
      }));
  }

  #projectName() {
    return basename(this.#projectRoot);
  }
}
