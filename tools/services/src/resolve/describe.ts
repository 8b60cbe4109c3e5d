import { ServiceError } from '../errors.js';
import type { ServiceName, ServiceTypes } from './definitions.js';
import { isInCi, isUnavailable, missingFor, resolveServer, resolveService } from './resolve.js';
import type { Unavailable } from './resolve.js';

/** What is needed of a test runner; jest has it under these names. */
export interface TestRunner {
  readonly describe: ((title: string, body: () => void) => void) & {
    readonly skip: (title: string, body: () => void) => void;
  };
  readonly beforeAll: (work: () => Promise<void>, milliseconds: number) => void;
  readonly afterAll: (work: () => Promise<void>, milliseconds: number) => void;
}

// The first start may have to fetch: Go takes more than a minute to build an object store.
const START_MILLISECONDS = 600_000;
const STOP_MILLISECONDS = 60_000;

/**
 * Declares tests that need a service, which runs from before the first to after the last of them. `getService` works
 * inside of tests and hooks only. Without the service, the tests are skipped with the reason, in CI they fail.
 *
 * @example
 * import { afterAll, beforeAll, describe, test } from '@jest/globals';
 *
 * describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
 *   test('…', async () => {
 *     const database = await getService().createDatabase();
 *   });
 * });
 */
export function describeWithService<Name extends ServiceName>(
  runner: TestRunner,
  name: Name,
  body: (getService: () => ServiceTypes[Name]['service']) => void,
): void {
  describeWith(runner, name, missingFor(name, false), () => resolveService(name), body);
}

/** The same for tests that restart, freeze or kill the service, and so need one of their own. */
export function describeWithServer<Name extends ServiceName>(
  runner: TestRunner,
  name: Name,
  body: (getServer: () => ServiceTypes[Name]['server']) => void,
): void {
  describeWith(runner, name, missingFor(name, true), () => resolveServer(name), body);
}

/**
 * The same for a server that the tests start themselves: `missing` is what this machine lacks for it.
 */
export function describeWith<Service extends { stop(): Promise<void> }>(
  { describe, beforeAll, afterAll }: TestRunner,
  name: string,
  missing: string | undefined,
  resolve: () => Promise<Service | Unavailable>,
  body: (getService: () => Service) => void,
): void {
  let service: Service | undefined;
  const getService = (): Service => {
    if (service === undefined) throw new Error(`${name} is there only while tests run`);
    return service;
  };
  if (missing !== undefined && !isInCi()) {
    process.stderr.write(`skipped, no ${name}: ${missing}\n`);
    describe.skip(`with ${name} (skipped: ${missing})`, () => body(getService));
    return;
  }
  describe(`with ${name}`, () => {
    beforeAll(async () => {
      const found = await resolve();
      if (isUnavailable(found)) throw new ServiceError('EOS_SERVICE_UNAVAILABLE', found.unavailable);
      service = found;
    }, START_MILLISECONDS);
    afterAll(async () => service?.stop(), STOP_MILLISECONDS);
    body(getService);
  });
}
