/** TLS and SASL, by the options of the driver; and what a user must be granted: each grant that is missing is named, and none more is needed. */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { pipeline } from '@eos/core';
import { describeWith, freePort, missingForKafka } from '@eos/services';
import { startTestBroker } from './broker.testing.js';
import { makeCertificate } from './certificate.testing.js';
import type { KafkaConnection } from './client/connect.js';
import { createAclsApi, type Grant } from './broker-requests.testing.js';
import { failureOf, numbers, testTopics, upTo } from './numbered.testing.js';
import { canRunPlatformatic, whyNoPlatformatic } from './platformatic.testing.js';

const PRINCIPAL = 'User:writer';
const PASSWORD = 'correct-horse-battery';

const PROPAGATION_MS = 10_000;

/** A broker takes up a grant a moment after the controller has answered: the first result that will do, or the last one. */
async function tryUntil<Result>(
  attempt: () => Promise<Result>,
  willDo: (result: Result) => boolean,
): Promise<Result> {
  const end = performance.now() + PROPAGATION_MS;
  for (;;) {
    const result = await attempt();
    if (willDo(result) || performance.now() > end) return result;
    await delay(50);
  }
}

async function startSecureBroker() {
  const [port, tlsPort] = [await freePort(), await freePort()];
  const certificate = await makeCertificate();
  const broker = await startTestBroker({
    listeners: [
      { name: 'SECURE', port, protocol: 'SASL_PLAINTEXT' },
      { name: 'TLS', port: tlsPort, protocol: 'SASL_SSL' },
    ],
    settings: {
      ...certificate.settings('tls'),
      'listener.name.tls.sasl.enabled.mechanisms': 'PLAIN',
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      // Whoever comes by the plain listener is the administrator.
      'super.users': 'User:ANONYMOUS',
      'listener.name.secure.sasl.enabled.mechanisms': 'PLAIN',
      'listener.name.secure.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required user_writer="${PASSWORD}";`,
      // An administrator's name too: these tests are not about grants.
      'listener.name.tls.plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required user_ANONYMOUS="${PASSWORD}";`,
    },
  });
  return {
    ...broker,
    secureBrokers: [`127.0.0.1:${port}`],
    tlsBrokers: [`127.0.0.1:${tlsPort}`],
    authority: certificate.pem,
    async stop() {
      await broker.stop();
      await certificate.remove();
    },
  };
}

describeWith(
  { describe, beforeAll, afterAll },
  'kafka',
  missingForKafka(),
  startSecureBroker,
  (getBroker) => {
    const connection = (password = PASSWORD) => ({
      brokers: getBroker().secureBrokers,
      sasl: { mechanism: 'plain' as const, username: 'writer', password },
    });

    test('a wrong password is told at once, and not shown', async () => {
      const topics = await testTopics(getBroker());
      try {
        const wrong = topics.sink(connection('wrong-horse'));
        const failure = await failureOf(wrong.open({ pipeline: 'p', sink: 's' }));
        expect(failure).toMatchObject({ code: 'EOS_PERMISSION', retryable: false });
        expect(failure.message).not.toContain('wrong-horse');
      } finally {
        await topics.close();
      }
    });

    const encrypted: readonly (readonly [string, (ca: string) => Partial<KafkaConnection>])[] = [
      [
        'kafkajs',
        (ca) => ({
          ssl: { ca: [ca] },
          sasl: { mechanism: 'plain', username: 'ANONYMOUS', password: PASSWORD },
        }),
      ],
      [
        'platformatic',
        (ca) => ({
          driver: 'platformatic',
          tls: { ca },
          sasl: { mechanism: 'PLAIN', username: 'ANONYMOUS', password: PASSWORD },
        }),
      ],
    ];

    if (!canRunPlatformatic) process.stderr.write(`skipped over TLS, ${whyNoPlatformatic}\n`);
    test.each(encrypted.filter(([driver]) => canRunPlatformatic || driver !== 'platformatic'))(
      'over TLS, by %s: rows arrive; a certificate that nobody vouches for is told',
      async (_driver, options) => {
        const { tlsBrokers, authority } = getBroker();
        const topics = await testTopics(getBroker());
        const run = (ca: string) =>
          pipeline({
            id: 'p',
            source: numbers({ count: 20 }),
            sinks: { s: topics.sink({ brokers: [...tlsBrokers], ...options(ca) }) },
            retry: { attempts: 1, initialMs: 1, maxMs: 1 },
          }).run({ signals: [] });
        const other = await makeCertificate();
        try {
          expect(await run(authority)).toMatchObject({ reason: 'end', rows: 20 });
          expect(await topics.ids()).toEqual(upTo(20));
          expect((await failureOf(run(other.pem))).message).toMatch(/certificate/);
        } finally {
          await other.remove();
          await topics.close();
        }
      },
    );

    test('each grant that is missing is named; with all of them it works', async () => {
      const topics = await testTopics(getBroker());
      const { input, output, positions, client } = topics;
      const groupId = `${input}-group`;
      const grants: readonly (Omit<Grant, 'principal'> & { readonly names: RegExp })[] = [
        { resource: 'topic', name: output, operation: 'describe', names: new RegExp(`topic ${output}`) },
        { resource: 'topic', name: positions, operation: 'describe', names: new RegExp(positions) },
        {
          resource: 'topic',
          name: positions,
          operation: 'create',
          names: /may not make it.*--create --topic/,
        },
        {
          resource: 'topic',
          name: positions,
          operation: 'describe-configs',
          names: new RegExp(`topic ${positions}`),
        },
        { resource: 'topic', name: positions, operation: 'read', names: new RegExp(`topic ${positions}`) },
        {
          resource: 'transactional-id',
          name: 'p/s/',
          isPrefix: true,
          operation: 'describe',
          names: /begin with p\/s\//,
        },
        {
          resource: 'transactional-id',
          name: 'p/s/',
          isPrefix: true,
          operation: 'write',
          names: /begin with p\/s\//,
        },
        { resource: 'topic', name: positions, operation: 'write', names: new RegExp(`topic ${positions}`) },
        { resource: 'topic', name: output, operation: 'write', names: new RegExp(`topic ${output}`) },
        { resource: 'group', name: groupId, operation: 'read', names: /consumer group/ },
        { resource: 'topic', name: input, operation: 'read', names: new RegExp(`topic ${input}`) },
      ];
      const run = () =>
        pipeline({
          id: 'p',
          source: numbers({ count: 20, partition: `${input}/0` }),
          sinks: { s: topics.sink(connection(), { reportOffsets: { groupId, intervalMs: 1 } }) },
          retry: { attempts: 3, initialMs: 1, maxMs: 1 },
        }).run({ signals: [] });
      try {
        const told: string[] = [];
        for (const { names, ...grant } of grants) {
          const failure = await tryUntil(
            () => failureOf(run()),
            ({ message }) => names.test(message),
          );
          told.push(`${failure.code} ${names.test(failure.message) ? 'named' : failure.message}`);
          await client.cluster.request('any', createAclsApi, [{ ...grant, principal: PRINCIPAL }]);
        }
        expect(told.map((text) => text.replace(/^EOS_(PERMISSION|SCHEMA|CONFIG) named$/, 'named'))).toEqual(
          grants.map(() => 'named'),
        );
        const attempt = () => run().catch((error: unknown) => error);
        const ended = await tryUntil(attempt, (result) => !(result instanceof Error));
        expect(ended).toMatchObject({ reason: 'end', rows: 20 });
        expect(await topics.ids()).toEqual(upTo(20));
      } finally {
        await topics.close();
      }
    }, 60_000);
  },
);
