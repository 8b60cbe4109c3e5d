import { ServiceError } from '../errors.js';
import { definitions } from './definitions.js';
import type { ServiceName, ServiceTypes } from './definitions.js';

/** Why a test has to be skipped. */
export interface Unavailable {
  readonly unavailable: string;
}

/** Whether `resolveService` found none. */
export function isUnavailable(found: object): found is Unavailable {
  return 'unavailable' in found;
}

/**
 * A service for a test: the one whose address is in the environment (`EOS_TEST_POSTGRES_URL`, `EOS_TEST_KAFKA`,
 * `EOS_TEST_S3`), else one started for it. Where neither is possible, the result says why, so that the test can be
 * skipped; but in CI (the variable `CI` is set) that is an error.
 *
 * A service from the environment is shared: work in a database, topic or prefix of your own. A test that restarts or
 * freezes its service takes `resolveServer`.
 */
export async function resolveService<Name extends ServiceName>(
  name: Name,
): Promise<ServiceTypes[Name]['service'] | Unavailable> {
  const address = process.env[definitions[name].variable];
  const { connect, start, startShared = () => start({}) } = definitions[name];
  if (address !== undefined && address !== '') return connect(address);
  return resolve(name, startShared);
}

/** Starts a service for this test alone; one in the environment does not count. Otherwise like `resolveService`. */
export async function resolveServer<Name extends ServiceName>(
  name: Name,
): Promise<ServiceTypes[Name]['server'] | Unavailable> {
  return resolve(name, () => definitions[name].start({}));
}

async function resolve<Started>(
  name: ServiceName,
  start: () => Promise<Started>,
): Promise<Started | Unavailable> {
  const { missing, variable } = definitions[name];
  const reason = missing();
  if (reason !== undefined) return reject(name, variable, reason);
  try {
    return await start();
  } catch (error) {
    // Something was missing after all, such as a network. A server that fails is never a reason to skip.
    if (error instanceof ServiceError && error.code === 'EOS_SERVICE_UNAVAILABLE')
      return reject(name, variable, error.message);
    throw error;
  }
}

/** Why a service cannot be had here, as far as that is known without starting it. */
export function missingFor(name: ServiceName, own: boolean): string | undefined {
  const inEnvironment = (process.env[definitions[name].variable] ?? '') !== '';
  return inEnvironment && !own ? undefined : definitions[name].missing();
}

/** Whether a missing service fails a test instead of skipping it. */
export function isInCi(): boolean {
  return !['', '0', 'false', undefined].includes(process.env.CI);
}

function reject(name: ServiceName, variable: string, reason: string): Unavailable {
  const unavailable = `no ${name}: ${reason}; or set ${variable}`;
  if (isInCi())
    throw new ServiceError('EOS_SERVICE_UNAVAILABLE', `${unavailable} (an error because CI is set)`);
  return { unavailable };
}
