import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Op, rowSchema, t, type SinkSession } from '@eos/core';
import { describeWithServer, startPostgres } from '@eos/services';
import {
  batchOf,
  commit,
  context,
  failureOf,
  prepared,
  rangeOf,
  withDatabase,
  type Fixture,
  type Row,
} from './database.testing.js';
import { postgresSink } from './index.js';

const schema = rowSchema({ id: t.int64(), note: t.string().nullable() });
const flights = { table: 'flights', schema };
const upsert = { ...flights, mode: 'upsert', key: ['id'] } as const;

const aborted = { code: 'EOS_UNAVAILABLE', retryable: true, outcome: 'aborted' };
const unknown = { code: 'EOS_UNKNOWN_OUTCOME', retryable: true, outcome: 'unknown' };

const many = (count: number) => Array.from({ length: count }, (_, id) => ({ id, note: 'x'.repeat(100) }));

describeWithServer({ describe, beforeAll, afterAll }, 'postgres', (getServer) => {
  const run = (work: (fixture: Fixture) => Promise<void>) => () => withDatabase(getServer(), work);

  /** After a failure: whatever it was, the next claim goes on, and each row is there once. */
  async function goOn(fixture: Fixture, rows: readonly Row[]): Promise<void> {
    const session = await (await fixture.open(flights)).recover(['0']);
    await commit(session, { rows });
    expect(await fixture.column('SELECT id::int FROM flights ORDER BY id')).toEqual(rows.map(({ id }) => id));
    await session.close();
  }

  async function begun(
    fixture: Fixture,
    options: Partial<Parameters<Fixture['open']>[0]> = {},
  ): Promise<SinkSession<Row>> {
    return (await fixture.open({ ...flights, ...options })).recover(['0']);
  }

  describe('a connection that is lost', () => {
    test(
      'while nobody asks is found out by the next call',
      run(async (fixture) => {
        const session = await begun(fixture);
        await fixture.cut();
        expect(await failureOf(session.begin())).toMatchObject(aborted);
        await goOn(fixture, [{ id: 1 }]);
      }),
    );

    test(
      'in the middle of a COPY ends the write that waits for it',
      run(async (fixture) => {
        const session = await begun(fixture);
        const transaction = await session.begin();
        await fixture.query('BEGIN; LOCK TABLE flights');
        const failure = failureOf(transaction.write(batchOf({ rows: many(100_000) })));
        await fixture.untilLocked('relation');
        await fixture.cut();
        expect(await failure).toMatchObject(aborted);
        await fixture.query('COMMIT');
        await transaction.rollback();
        await session.close();
        await goOn(fixture, [{ id: 1 }, { id: 2 }]);
      }),
    );

    test(
      'between write and prepare, and between prepare and commit, leaves nothing',
      run(async (fixture) => {
        for (const isPrepared of [false, true]) {
          const session = await begun(fixture);
          const transaction = await session.begin();
          await transaction.write(batchOf({ rows: many(2000) }));
          if (isPrepared) await transaction.prepare();
          await fixture.cut();
          const next = isPrepared ? transaction.commit(rangeOf(session, 1n)) : transaction.prepare();
          expect(await failureOf(next)).toMatchObject(aborted);
          await session.close();
        }
        await goOn(fixture, [{ id: 1 }]);
      }),
    );

    test(
      'while the server commits leaves the outcome open',
      run(async (fixture) => {
        const session = await begun(fixture);
        const gate = await fixture.gate('eos.positions', 'AFTER INSERT');
        const transaction = await prepared(session, { rows: [{ id: 1 }] });
        const failure = failureOf(transaction.commit(rangeOf(session, 1n)));
        await gate.reached();
        await fixture.cut();
        expect(await failure).toMatchObject(unknown);
        expect((await failureOf(session.begin())).code).toBe('EOS_SESSION_DEAD');
        await gate.open();
        await goOn(fixture, [{ id: 1 }]);
      }),
    );
  });

  test(
    'a transaction that idles for too long is ended by the server, and is known to be aborted',
    run(async (fixture) => {
      const session = await begun(fixture, { idleInTransactionTimeoutMs: 100 });
      const transaction = await prepared(session, { rows: [{ id: 1 }] });
      await fixture.untilCut();
      expect(await failureOf(transaction.commit(rangeOf(session, 1n)))).toMatchObject(aborted);
      await goOn(fixture, [{ id: 1 }]);
    }),
  );

  test.each([
    ['40001', 'EOS_UNAVAILABLE', true],
    ['40P01', 'EOS_UNAVAILABLE', true],
    ['53100', 'EOS_UNAVAILABLE', true],
    ['P0001', 'EOS_ROW', false],
    ['22003', 'EOS_ROW', false],
  ])('%s, raised by prepare or by the commit, is %s and aborts', (state, code, retryable) =>
    withDatabase(getServer(), async (fixture) => {
      await (await begun(fixture)).close();
      await fixture.query(`
        CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '${state}'; END $$;
        CREATE TRIGGER fail AFTER INSERT ON flights FOR EACH ROW EXECUTE FUNCTION fail()`);
      const session = await begun(fixture);
      const expected = { code, retryable, outcome: 'aborted' };
      expect(await failureOf(prepared(session, { rows: [{ id: 1 }] }))).toMatchObject(expected);
      await session.close();
      await fixture.query(`
        DROP TRIGGER fail ON flights;
        CREATE CONSTRAINT TRIGGER fail AFTER INSERT ON eos.positions DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail()`);
      const second = await begun(fixture);
      const transaction = await prepared(second, { rows: [{ id: 1 }] });
      expect(await failureOf(transaction.commit(rangeOf(second, 1n)))).toMatchObject(expected);
      expect(await fixture.column('SELECT count(*)::int FROM flights')).toEqual([0]);
    }),
  );

  test(
    'of two pipelines that deadlock over rows, one commits and the other may try again',
    run(async (fixture) => {
      const sessions = await Promise.all(
        ['a', 'b'].map(async (sink) => (await fixture.open(upsert, { ...context, sink })).recover(['0'])),
      );
      await commit(sessions[0] as SinkSession<Row>, { rows: many(2) });
      // Each holds what the other is after: a row is locked before its trigger runs.
      const gate = await fixture.gate('flights', 'BEFORE UPDATE');
      const work = sessions.map((session, index) => {
        const rows = index === 0 ? [{ id: 0 }, { id: 1 }] : [{ id: 1 }, { id: 0 }];
        return commit(session, { rows, ops: [Op.updateAfter, Op.updateAfter] });
      });
      const ending = Promise.allSettled(work);
      await gate.reached(2);
      await gate.open();
      const results = await ending;
      expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      const failure = results.find((result) => result.status === 'rejected');
      expect(failure?.reason).toMatchObject({ ...aborted, details: { sqlState: '40P01' } });
    }),
  );

  describe('a server', () => {
    test.each(['fast', 'immediate'] as const)('that is restarted (%s) loses no commit', (mode) =>
      withDatabase(getServer(), async (fixture) => {
        const session = await begun(fixture);
        await commit(session, { rows: [{ id: 1 }] });
        const transaction = await prepared(session, { rows: [{ id: 2 }] });
        await getServer().restart(mode);
        expect(await failureOf(transaction.commit(rangeOf(session, 2n)))).toMatchObject({ retryable: true });
        const sink = postgresSink<Row>({ connection: fixture.database.url, ...flights });
        const again = await (await sink.open(context)).recover(['0']);
        expect(again.positions.get('0')).toMatchObject({ epoch: 1n, offset: 1n });
        await commit(again, { rows: [{ id: 2 }] });
        await again.close();
        const client = await fixture.connect();
        expect((await client.query('SELECT id::int FROM flights ORDER BY id')).rows).toEqual([
          { id: 1 },
          { id: 2 },
        ]);
      }),
    );

    test('that is promoted without the last commits is noticed, and reading goes back', async () => {
      await withDatabase(getServer(), async (fixture) => {
        const session = await begun(fixture);
        await commit(session, { rows: [{ id: 0 }] });
        const snapshot = await getServer().snapshot();
        for (const id of [1, 2]) await commit(session, { rows: [{ id }] });
        const replica = await startPostgres({ from: snapshot });
        try {
          const url = new URL(fixture.database.url);
          url.port = String(replica.port);
          const sink = await postgresSink<Row>({ connection: url.href, ...flights }).open(context);
          const replacing = new Map([['0', { owners: new Set([session.owner]), epoch: 3n }]]);
          const again = await sink.recover(['0'], { replacing });
          expect(again.positions.get('0')).toMatchObject({ epoch: 1n, offset: 1n });
          await commit(again, { rows: [{ id: 1 }] });
          await sink.close();
        } finally {
          await replica.stop();
          await snapshot.remove();
        }
      });
    });

    test(
      'that hangs keeps nobody: what waits is given up in time, and closing takes none',
      run(async (fixture) => {
        // What is made is made with more patience.
        await (await begun(fixture)).close();
        const options = { statementTimeoutMs: 4_000, commitTimeoutMs: 4_000 };
        const [writing, preparing, committing, closing] = await Promise.all(
          ['w', 'p', 'c', 'x'].map(async (sink) => {
            const opened = await fixture.open({ ...flights, ...options }, { ...context, sink });
            return { sink: opened, session: await opened.recover(['0']) };
          }),
        );
        if (!writing || !preparing || !committing || !closing) throw new Error('unreachable: four were made');
        const [first, second, fourth] = await Promise.all(
          [writing, preparing, closing].map(({ session }) => session.begin()),
        );
        const third = await prepared(committing.session, { rows: [{ id: 1 }] });
        if (!first || !second || !fourth) throw new Error('unreachable: three were begun');
        await second.write(batchOf({ rows: many(10) }));
        await fourth.write(batchOf({ rows: many(10) }));
        await getServer().freeze();
        try {
          const failures = [
            failureOf(first.write(batchOf({ rows: many(300_000) }))),
            failureOf(second.prepare()),
            failureOf(third.commit(rangeOf(committing.session, 1n))),
          ];
          const whole = failureOf(fourth.prepare());
          const givenUp = Promise.race(failures).then(() => 'given up');
          const closed = closing.sink.close().then(() => 'closed');
          expect(await Promise.race([closed, givenUp])).toBe('closed');
          await whole;
          expect(await Promise.all(failures)).toMatchObject([aborted, aborted, unknown]);
          await first.rollback();
          await Promise.all([writing, preparing, committing].map(({ sink }) => sink.close()));
          const connection = { connectionString: fixture.database.url, connectionTimeoutMillis: 300 };
          expect(await failureOf(fixture.open({ ...flights, connection }))).toMatchObject(aborted);
        } finally {
          await getServer().thaw();
        }
        // The commit whose answer was given up may have landed: its position tells.
        const settled = await (await fixture.open(flights, { ...context, sink: 'c' })).recover(['0']);
        const hasLanded = settled.positions.get('0')?.txId === third.id;
        expect(await fixture.column('SELECT id::int FROM flights')).toEqual(hasLanded ? [1] : []);
      }),
    );
  });
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
if (!hasOpenssl) process.stderr.write('skipped, no openssl to make a certificate with: TLS\n');

describe('TLS', () => {
  (hasOpenssl ? test : test.skip)('and all other options of pg pass through', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'eos-tls-'));
    const server = await startPostgres();
    try {
      const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
      const request = [
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-days',
        '2',
        '-subj',
        '/CN=localhost',
      ];
      await promisify(execFile)('openssl', [
        ...request,
        '-keyout',
        key,
        '-out',
        certificate,
        '-addext',
        'subjectAltName=DNS:localhost,IP:127.0.0.1',
      ]);
      const [keyText, ca] = await Promise.all([readFile(key, 'utf8'), readFile(certificate, 'utf8')]);
      await withDatabase(server, async (fixture) => {
        // The server's user cannot read this folder, so the server writes the files by itself.
        const write = (name: string, text: string) =>
          `COPY (SELECT unnest(string_to_array('${text.trim()}', E'\\n'))) TO PROGRAM 'umask 077; cat > ${name}'`;
        await fixture.query(`${write('server.key', keyText)}; ${write('server.crt', ca)}`);
        await fixture.query('ALTER SYSTEM SET ssl = on');
        await fixture.query('SELECT pg_reload_conf()');
        await fixture.until(`current_setting('ssl') = 'on'`);
        const { host, port, user, password, database } = fixture.database;
        const connection = {
          host,
          port,
          user,
          password: () => password,
          database,
          ssl: { ca },
          application_name: 'mine',
        };
        const sink = await fixture.open({ ...flights, connection });
        const session = await sink.recover(['0']);
        await commit(session, { rows: many(5000) });
        const encrypted = `SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'mine'`;
        expect(await fixture.column(encrypted)).toEqual([true]);
        expect(await fixture.column('SELECT count(*)::int FROM flights')).toEqual([5000]);
        const stranger = await failureOf(
          fixture.open({ ...flights, connection: { ...connection, ssl: true } }),
        );
        expect(stranger).toMatchObject({
          code: 'EOS_CONFIG',
          retryable: false,
          details: { option: 'connection' },
        });
      });
    } finally {
      await server.stop();
      await rm(folder, { recursive: true });
    }
  });
});
