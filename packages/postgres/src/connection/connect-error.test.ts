import { connect, createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { rowSchema, t } from '@eos/core';
import { describeWithService } from '@eos/services';
import { mapConnectError } from './connect-error.js';
import { failureOf, withDatabase } from '../database.testing.js';
import { postgresSink } from '../index.js';

const flights = { table: 'flights', schema: rowSchema({ id: t.int64() }) };

describeWithService({ describe, beforeAll, afterAll }, 'postgres', (getService) => {
  test("a server without TLS, a missing password and an impossible port are the options' fault", () =>
    withDatabase(getService(), async (fixture) => {
      const { host, port, user, password, database } = fixture.database;
      const fine = { host, port, user, password, database };
      const [ssl] = await fixture.column(`SELECT current_setting('ssl')`);
      // A service of the environment may offer TLS, or ask for no password.
      const wrong = [
        ...(ssl === 'off' ? [{ connection: { ...fine, ssl: true }, problem: 'TLS' }] : []),
        { connection: { ...fine, port: 99_999 }, problem: 'port' },
        { connection: { ...fine, password: '' }, problem: 'password' },
      ];
      for (const { connection, problem } of wrong) {
        const failure = await failureOf(fixture.open({ ...flights, connection }));
        expect(failure).toMatchObject({
          code: 'EOS_CONFIG',
          retryable: false,
          details: { option: 'connection' },
        });
        expect(failure.message).toMatch(new RegExp(`^connection: .*${problem}`, 'i'));
      }
    }));

  test('a URL that is none is told without the password in it', async () => {
    for (const connection of ['postgresql://me:secret@host:port/db', 'postgresql://me:secret@[::1/db']) {
      const failure = await failureOf(
        postgresSink({ ...flights, connection }).open({ pipeline: 'a', sink: 'b' }),
      );
      expect(failure).toMatchObject({ code: 'EOS_CONFIG', details: { option: 'connection' } });
      expect(`${failure.message} ${JSON.stringify(failure.details)}`).not.toContain('secret');
    }
  });
});

test('where a name stands for several addresses, each that refuses is told, and another try may help', async () => {
  // A port that nobody listens on.
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  const socket = connect({
    host: 'both',
    port,
    autoSelectFamily: true,
    lookup: (_name, _options, found) => {
      found(null, [
        { address: '127.0.0.1', family: 4 },
        { address: '127.0.0.2', family: 4 },
      ]);
    },
  });
  const [error] = (await once(socket, 'error').catch((thrown: unknown) => [thrown])) as [unknown];
  expect(error).toMatchObject({ name: 'AggregateError', message: '' });
  const failure = mapConnectError(error);
  expect(failure).toMatchObject({ code: 'EOS_UNAVAILABLE', retryable: true });
  expect(failure.message).toContain(`127.0.0.1:${port}`);
  expect(failure.message).toContain(`127.0.0.2:${port}`);
});
