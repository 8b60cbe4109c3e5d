import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { withClient } from '../postgres/database.js';
import { startPostgres } from '../postgres/server.js';
import { isUnavailable, resolveServer, resolveService } from './resolve.js';

const variables = [
  'CI',
  'PATH',
  'JAVA_HOME',
  'EOS_TEST_POSTGRES_URL',
  'EOS_TEST_KAFKA',
  'EOS_SERVICES_CACHE',
];

describe('resolveService', () => {
  let before: Record<string, string | undefined>;

  beforeEach(() => {
    before = Object.fromEntries(variables.map((name) => [name, process.env[name]]));
    for (const name of variables.slice(3)) Reflect.deleteProperty(process.env, name);
  });

  afterEach(() => {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  });

  const lackEverything = (): void => {
    Object.assign(process.env, { PATH: '', JAVA_HOME: '/nowhere', EOS_SERVICES_CACHE: '/nowhere' });
  };

  test('takes the service in the environment, and does not stop it', async () => {
    const running = await startPostgres();
    process.env.EOS_TEST_POSTGRES_URL = running.url;
    const found = await resolveService('postgres');
    if (isUnavailable(found)) throw new Error(found.unavailable);
    expect(found).toMatchObject({ url: running.url, version: running.version, password: running.password });
    await found.stop();
    const database = await found.createDatabase();
    expect(database.url).toContain(`:${running.port}/eos_test_`);
    await database.drop();
    await found.stop();
    const left = "SELECT FROM pg_database WHERE datname LIKE 'eos_test_%'";
    const { rowCount } = await withClient(running.url, (client) => client.query(left));
    expect(rowCount).toBe(0);
    await running.stop();
  });

  test('starts one when the environment has none', async () => {
    const found = await resolveService('postgres');
    expect(found).toMatchObject({ host: '127.0.0.1', database: 'postgres' });
    if (!isUnavailable(found)) await found.stop();
  });

  test('says what is missing, outside of CI', async () => {
    lackEverything();
    process.env.CI = '';
    expect(await resolveService('kafka')).toEqual({ unavailable: expect.stringContaining('java') });
    expect(await resolveService('s3')).toEqual({ unavailable: expect.stringContaining('EOS_TEST_S3') });
  });

  test('fails in CI', async () => {
    lackEverything();
    process.env.CI = 'true';
    await expect(resolveService('kafka')).rejects.toMatchObject({ code: 'EOS_SERVICE_UNAVAILABLE' });
  });

  test('does not take a shared one for a server of one’s own', async () => {
    lackEverything();
    process.env.CI = '';
    process.env.EOS_TEST_KAFKA = '127.0.0.1:9092';
    expect(await resolveService('kafka')).toMatchObject({ brokers: ['127.0.0.1:9092'] });
    expect(isUnavailable(await resolveServer('kafka'))).toBe(true);
  });
});
