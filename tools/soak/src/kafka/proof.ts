/** Processes of three pipelines over one topic, killed, frozen, scaled and with their broker gone, while the topic fills; then every record is looked for. */
import { setTimeout as delay } from 'node:timers/promises';
import { iterableSource, pipeline } from '@eos/core';
import { kafkaSink } from '@eos/kafka';
import { startKafka, startPostgres, type KafkaServer } from '@eos/services';
import { Random } from '@eos/simulation';
import { changeAt, format, keysOf, type ChangedRow } from './changes.js';
import { Members } from './members.js';
import { caughtUp } from './catch-up.js';
import { connectionOf, contextOf, logSink, RETRY, tableSink } from './pipelines.js';
import { checkTopic, type TopicCheck } from './reader.js';
import { checkTables } from './tables.js';
import { COPY_TOPIC, PARTITIONS, SOURCE_TOPIC, type KafkaTask } from './task.js';

export interface ProofOptions {
  readonly seed: number;
  /** How long the topic takes to fill; the processes may take longer. */
  readonly minutes: number;
  readonly changes: number;
  readonly onProgress: (line: string) => void;
}

export interface ProofResult {
  readonly changes: number;
  readonly checks: ReadonlyMap<string, TopicCheck>;
  readonly kills: number;
  readonly freezes: number;
  readonly rebalances: number;
  readonly bounces: number;
  readonly totals: Members['totals'];
  readonly problems: readonly string[];
}

const SETTINGS = { 'group.min.session.timeout.ms': 1_000 };
/** How many processes there are, one after the other; at each step a broker or a process meets something. */
const SCALES = [3, 5, 1, 5, 3];

/** What happens, and how it is done. */
type Step = readonly [name: string, act: () => Promise<void>];

export async function prove(options: ProofOptions): Promise<ProofResult> {
  const { seed, changes, onProgress } = options;
  const random = new Random(seed);
  const [kafka, postgres] = [await startKafka({ settings: SETTINGS }), await startPostgres()];
  const task = { brokers: kafka.brokers, url: postgres.url };
  const members = new Members(task);
  const feeding = new AbortController();
  try {
    await makeTables({ ...task, version: 'old' });
    const fed = feed(kafka, options, feeding.signal);
    fed.catch(() => undefined);
    await members.scale(SCALES[0] ?? 3, random);
    const bounces = await disturb(kafka, members, random, options);
    await fed;
    onProgress('all changes are in the topic');
    await caughtUp({ ...task, version: 'old' }, members, onProgress);
    await members.end();
    const checks = new Map<string, TopicCheck>();
    checks.set('source topic', await checkTopic(kafka.brokers, SOURCE_TOPIC, changes));
    checks.set('copied topic', await checkTopic(kafka.brokers, COPY_TOPIC, changes));
    const { log, table } = await checkTables(postgres.url, changes);
    checks.set('log in Postgres', log);
    checks.set('table in Postgres', table);
    const { kills, freezes, rebalances, totals, problems } = members;
    return { changes, checks, kills, freezes, rebalances, bounces, totals, problems };
  } finally {
    feeding.abort();
    await members.killAll();
    await kafka.stop();
    await postgres.stop();
  }
}

/** Before the first process: several that find no table at the same moment are a case of the sink for Postgres, not of this proof. */
async function makeTables(task: KafkaTask): Promise<void> {
  await (await tableSink(task).open(contextOf('table'))).close();
  await (await logSink(task).open(contextOf('log'))).close();
}

/** Fills the topic, evenly over the time, with the sink under test: the reader looks at what came of that too. */
async function feed(
  { brokers }: KafkaServer,
  { minutes, changes }: ProofOptions,
  signal: AbortSignal,
): Promise<void> {
  const keys = keysOf(changes);
  const start = performance.now();
  const perMs = changes / (minutes * 60_000);
  async function* open(from: bigint | null) {
    for (let next = Number(from ?? 0n); next < changes;) {
      const until = Math.min(changes, Math.ceil((performance.now() - start) * perMs), next + 500);
      if (until <= next) {
        await delay(20);
        continue;
      }
      const first = next;
      next = until;
      yield Array.from({ length: until - first }, (_, index) => ({
        offset: BigInt(first + index),
        ...changeAt(first + index, keys),
      })).map(({ op, ...rest }) => ({ ...rest, op: op === 3 ? ('-D' as const) : ('+U' as const) }));
    }
  }
  await pipeline<ChangedRow>({
    id: 'feed',
    source: iterableSource<ChangedRow>({
      replayable: true,
      changelog: 'upsert',
      identity: { kind: 'proof' },
      open,
    }),
    sinks: {
      changes: kafkaSink<ChangedRow>({
        connection: connectionOf(brokers),
        topic: SOURCE_TOPIC,
        format: format as Parameters<typeof kafkaSink<ChangedRow>>[0]['format'],
        create: { partitions: PARTITIONS },
        transactionTimeoutMs: 20_000,
      }),
    },
    trigger: { rows: 750, intervalMs: 200 },
    retry: RETRY,
  }).run({ signal, signals: [] });
}

/** Everything that is to happen, spread over the time that the topic takes to fill. */
async function disturb(
  kafka: KafkaServer,
  members: Members,
  random: Random,
  { minutes, onProgress }: ProofOptions,
): Promise<number> {
  const end = performance.now() + minutes * 60_000;
  const killed: Step = [
    'the broker is killed and started again',
    async () => {
      await kafka.kill();
      await delay(random.integer(0, 2_000));
      await kafka.start();
    },
  ];
  const stopped: Step = ['the broker is stopped in an orderly way and started again', () => kafka.restart()];
  const bounces = [killed, stopped, killed];
  const steps = SCALES.slice(1).flatMap((count): Step[] => [
    ['a process is killed', () => members.killAndReplace(random)],
    ['a process stands still beyond its session', () => members.freeze(random)],
    [`there are ${count} processes now`, () => members.scale(count, random)],
  ]);
  const between = steps.length / bounces.length;
  for (const [index, bounce] of bounces.entries())
    steps.splice(Math.floor((index + 0.5) * between) + index, 0, bounce);
  for (const [index, [name, act]] of steps.entries()) {
    const left = Math.max(0, end - performance.now());
    await delay((left / (steps.length - index + 1)) * (0.5 + random.integer(0, 50) / 100));
    onProgress(name);
    await act();
  }
  while (performance.now() < end) {
    await delay(random.integer(2_000, 6_000));
    if (random.chance(0.7)) await members.killAndReplace(random);
    else await members.freeze(random);
  }
  return bounces.length;
}
