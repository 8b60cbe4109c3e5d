/** The processes of the pipelines: started, killed, frozen and stopped. */
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '@eos/simulation';
import { spawnStoppable, type StoppableChild } from '@eos/testkit';
import { isKafkaNews, SESSION_MS, TASK_VARIABLE, VERSIONS, type KafkaNews, type KafkaTask } from './task.js';

/** What was built, also for a test that runs from the sources: Node 20 cannot read TypeScript. */
const BUILT = new URL('./writer.js', import.meta.url);
const WRITER = existsSync(BUILT) ? BUILT : new URL('../../dist/kafka/writer.js', import.meta.url);
const STOP_MS = 60_000;
const MOST_PROBLEMS = 5;

interface Member {
  readonly child: StoppableChild;
  news: KafkaNews | undefined;
}

export class Members {
  readonly #alive: Member[] = [];
  readonly #all: Member[] = [];
  readonly #generations = new Set<string>();
  readonly problems: string[] = [];
  kills = 0;
  freezes = 0;

  constructor(private readonly task: Omit<KafkaTask, 'version'>) {}

  get count(): number {
    return this.#alive.length;
  }

  /** How often a group shared out its partitions, without the first time of each. */
  get rebalances(): number {
    const groups = new Set([...this.#generations].map((name) => name.split(' ')[0]));
    return Math.max(0, this.#generations.size - groups.size);
  }

  get totals(): Omit<KafkaNews, 'generations'> {
    const sum = { rows: 0, commits: 0, fences: 0, retries: 0 };
    for (const { news } of this.#all) {
      sum.rows += news?.rows ?? 0;
      sum.commits += news?.commits ?? 0;
      sum.fences += news?.fences ?? 0;
      sum.retries += news?.retries ?? 0;
    }
    return sum;
  }

  /** Starts or ends processes until there are so many; half of those that go are killed. */
  async scale(count: number, random: Random): Promise<void> {
    while (this.#alive.length < count) this.#start();
    while (this.#alive.length > count) {
      if (random.chance(0.5)) await this.#kill(random);
      else await this.#stop();
    }
  }

  /** SIGKILL; another takes its place. */
  async killAndReplace(random: Random): Promise<void> {
    await this.#kill(random);
    this.#start();
  }

  /** SIGSTOP until its groups have given its partitions to others, then SIGCONT: it goes on as if nothing had been. */
  async freeze(random: Random): Promise<void> {
    if (this.#alive.length === 0) return;
    const { child } = random.pick(this.#alive);
    this.freezes += 1;
    child.freeze();
    await delay(SESSION_MS * 1.5 + random.integer(0, 3_000));
    child.thaw();
  }

  async end(): Promise<void> {
    await Promise.all([...this.#alive].map(() => this.#stop()));
  }

  async killAll(): Promise<void> {
    for (const { child } of this.#alive.splice(0)) await child.kill();
  }

  #start(): void {
    const version = VERSIONS[this.#all.length % VERSIONS.length] ?? 'old';
    const child = spawnStoppable({
      file: WRITER,
      environment: { [TASK_VARIABLE]: JSON.stringify({ ...this.task, version } satisfies KafkaTask) },
      onMessage: (message) => {
        if (!isKafkaNews(message)) return;
        member.news = message;
        for (const generation of message.generations) this.#generations.add(generation);
      },
    });
    const member: Member = { child, news: undefined };
    this.#alive.push(member);
    this.#all.push(member);
    void child.ended.then(({ code, signal, output }) => {
      const place = this.#alive.indexOf(member);
      if (place === -1) return;
      this.#alive.splice(place, 1);
      this.problems.push(`a process ended by ${signal ?? `code ${String(code)}`}: ${output.slice(-2_000)}`);
      // What ends again and again is not worth going on with: the report tells.
      if (this.problems.length < MOST_PROBLEMS) this.#start();
    });
  }

  async #kill(random: Random): Promise<void> {
    if (this.#alive.length === 0) return;
    const member = random.pick(this.#alive);
    this.#alive.splice(this.#alive.indexOf(member), 1);
    this.kills += 1;
    await member.child.kill();
  }

  /** SIGTERM: what was written is committed. */
  async #stop(): Promise<void> {
    const member = this.#alive.shift();
    if (member === undefined) return;
    const { child } = member;
    process.kill(child.pid, 'SIGTERM');
    const end = await Promise.race([child.ended, delay(STOP_MS, undefined, { ref: false })]);
    if (end?.code !== 0) {
      const how = end === undefined ? 'did not end' : `ended by ${end.signal ?? `code ${String(end.code)}`}`;
      this.problems.push(`a process that was stopped ${how}: ${(end?.output ?? '').slice(-2_000)}`);
    }
    await child.kill();
  }
}
