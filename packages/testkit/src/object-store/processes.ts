import type { ObjectStore } from '@eos/object-store';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { labelOf } from './bodies.js';
import { raise, type ChildJob, type ChildMessage } from './child-jobs.js';
import type { ChildStore } from './harness.js';
import { bytesOf, keysOf, type StoreSuite, type StoreWorld } from './suite.js';

const RACERS = 4;
const ROUNDS = 40;
const KILLS = 5;

/** Children run the built files: of this package too, where it is itself run from its sources. */
const MAIN = new URL(
  import.meta.url.endsWith('.ts') ? '../../dist/object-store/child-main.js' : './child-main.js',
  import.meta.url,
);

/** Processes that race each other, and processes that are killed in the middle of a call. */
export function processes({ group, test }: StoreSuite): void {
  group('processes', () => {
    test(`${RACERS} processes race: one winner for each key, and no step of a counter is lost`, async (world) => {
      const store = await world.open();
      await store.put('counter', bytesOf('0'));
      const names = Array.from({ length: RACERS }, (_, index) => `process ${index}`);
      const children = names.map((name) =>
        spawnChild(childOf(world), { kind: 'race', name, rounds: ROUNDS }),
      );
      try {
        await Promise.all(children.map(({ ready }) => ready));
        for (const { begin } of children) begin();
        const won = await Promise.all(children.map(({ won }) => won));
        const claimed = won.flatMap((rounds, index) => rounds.map((round) => [round, names[index]] as const));
        const held = await Promise.all(
          Array.from(
            { length: ROUNDS },
            async (_, round) => [round, await labelAt(store, `race/${round}`)] as const,
          ),
        );
        world.expect(claimed.sort(([a], [b]) => a - b)).toEqual(held);
      } finally {
        await Promise.all(children.map(({ kill }) => kill()));
      }
      await world.expectText(store, 'counter', String(RACERS * ROUNDS));
    });

    test(`${KILLS} processes are killed while they write: nothing torn, nothing lost, nobody blocked`, async (world) => {
      const store = await world.open();
      await store.put('counter', bytesOf('0'));
      const acknowledged = new Map<string, string>();
      // Two at a time, so that the one that lives on meets what the other left.
      for (let count = 0; count < KILLS; count++) {
        const writers = ['a', 'b'].map((half) =>
          spawnChild(childOf(world), { kind: 'write', name: `${count}${half}` }, acknowledged),
        );
        try {
          await Promise.all(writers.map(({ ready }) => ready));
          for (const { begin } of writers) begin();
          const before = acknowledged.size;
          await until(() => acknowledged.size >= before + 4 + count, writers);
        } finally {
          for (const { kill } of writers) await kill();
        }
        await raise(store);
      }
      const wrong: string[] = [];
      for (const key of await keysOf(store)) {
        if (key === 'counter') continue;
        const label = await labelAt(store, key);
        if (key === 'replaced' ? label?.startsWith('torn') !== false : !key.endsWith(`/${String(label)}`))
          wrong.push(`${key}: ${String(label)}`);
      }
      world.expect(wrong).toEqual([]);
      for (const [key, label] of acknowledged)
        world.expect([key, await labelAt(store, key)]).toEqual([key, label]);
    });
  });
}

function childOf({ harness }: StoreWorld): ChildStore {
  if (harness.child === undefined) throw new Error("a store within reach of a 'machine' has a child");
  return harness.child;
}

interface Child {
  readonly ready: Promise<void>;
  readonly begin: () => void;
  /** The rounds that it won. */
  readonly won: Promise<readonly number[]>;
  readonly isGone: () => boolean;
  readonly output: () => string;
  readonly kill: () => Promise<void>;
}

function spawnChild(store: ChildStore, job: ChildJob, acknowledged?: Map<string, string>): Child {
  const request = JSON.stringify({ module: store.module.href, options: store.options, job });
  const child = fork(fileURLToPath(MAIN), [request], {
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-10_000)));
  const closed = once(child, 'close');
  const isGone = () => child.exitCode !== null || child.signalCode !== null;
  const told = <Message>(take: (message: ChildMessage) => Message | undefined) =>
    new Promise<Message>((resolve, reject) => {
      // Only child-main.ts of this package sends.
      child.on('message', (message) => {
        const taken = take(message as ChildMessage);
        if (taken !== undefined) resolve(taken);
      });
      void closed.then(() => reject(new Error(`the child ended:\n${output}`)));
    });
  if (acknowledged !== undefined) {
    child.on('message', (message) => {
      const stored = message as ChildMessage;
      if (stored.eos === 'stored') acknowledged.set(stored.key, stored.label);
    });
  }
  const ready = told(({ eos }) => (eos === 'ready' ? true : undefined)).then(() => undefined);
  const won = told((message) => (message.eos === 'won' ? message.rounds : undefined));
  for (const promise of [ready, won]) promise.catch(() => undefined);
  return {
    ready,
    won,
    begin: () => void child.send('begin'),
    isGone,
    output: () => output,
    kill: () => killed(child, closed),
  };
}

async function killed(child: ChildProcess, closed: Promise<unknown>): Promise<void> {
  child.kill('SIGKILL');
  await closed;
}

/** Waits for a condition; a child that ends before is an error. */
async function until(condition: () => boolean, children: readonly Child[]): Promise<void> {
  while (!condition()) {
    for (const { isGone, output } of children) if (isGone()) throw new Error(`a child ended:\n${output()}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

async function labelAt(store: ObjectStore, key: string): Promise<string | undefined> {
  const found = await store.get(key);
  return found && labelOf(found.body);
}
