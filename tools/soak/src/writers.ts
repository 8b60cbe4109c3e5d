/** The writers, as processes of their own. */
import { setTimeout as delay } from 'node:timers/promises';
import { spawnStoppable, type ChildEnd, type StoppableChild } from '@eos/testkit';
import { FENCED_EXIT, isNews, TASK_VARIABLE, type News } from './task.js';

/** A copy that lost its claim may wait behind a slow server, but must end. */
const FENCED_MS = 180_000;
const CLAIM_MS = 120_000;

interface Writer {
  readonly child: StoppableChild;
  news: News | undefined;
}

export interface Totals {
  readonly commits: number;
  readonly settled: number;
  readonly retries: number;
  /** Copies that ended by themselves because another one had taken over. */
  readonly fenced: number;
}

/** Who writes. */
export interface Crew<Name extends string> {
  readonly names: readonly Name[];
  /** The built module of a writer. */
  readonly file: URL;
  /** What a writer is told, as JSON in its environment. */
  readonly taskOf: (name: Name) => object;
  readonly onNews: (name: Name, news: News) => void;
}

export class Writers<Name extends string> {
  readonly #current = new Map<Name, Writer>();
  /** Of every writer that there was: what it said last. */
  readonly #all: Writer[] = [];
  #fenced = 0;
  /** Ends that nobody asked for, and copies that did not end. */
  readonly problems: string[] = [];
  readonly #expected = new Set<StoppableChild>();

  constructor(private readonly crew: Crew<Name>) {
    for (const name of crew.names) this.#start(name);
  }

  get totals(): Totals {
    const sum = { commits: 0, settled: 0, retries: 0, fenced: this.#fenced };
    for (const { news } of this.#all) {
      sum.commits += news?.commits ?? 0;
      sum.settled += news?.settled ?? 0;
      sum.retries += news?.retries ?? 0;
    }
    return sum;
  }

  async killAndRestart(name: Name): Promise<void> {
    const { child } = this.#replace(name);
    await child.kill();
    this.#start(name);
  }

  /** The newer copy takes over; the older one must end by itself. */
  async startCopy(name: Name): Promise<void> {
    const older = this.#replace(name);
    this.#start(name);
    await this.#expectFenced(older);
  }

  /** The older copy wakes up as a zombie, perhaps in the middle of a commit. */
  async startCopyOfFrozen(name: Name): Promise<void> {
    const older = this.#replace(name);
    older.child.freeze();
    const newer = this.#start(name);
    await until(() => (newer.news?.commits ?? 0) > 0, CLAIM_MS);
    older.child.thaw();
    await this.#expectFenced(older);
  }

  /** Waits until all have committed something from now on: what went wrong is over. */
  async settle(): Promise<boolean> {
    const writers = [...this.#current.values()];
    const before = writers.map(({ news }) => news?.commits ?? 0);
    return until(
      () => writers.every(({ news }, index) => (news?.commits ?? 0) > (before[index] ?? 0) + 5),
      FENCED_MS,
    );
  }

  /** SIGTERM: what was written is committed. */
  async stop(): Promise<readonly ChildEnd[]> {
    const writers = [...this.#current.values()];
    for (const { child } of writers) {
      this.#expected.add(child);
      process.kill(child.pid, 'SIGTERM');
    }
    const ends = await Promise.all(
      writers.map(({ child }) => Promise.race([child.ended, delay(FENCED_MS, undefined, { ref: false })])),
    );
    await this.kill();
    return ends.filter((end) => end !== undefined);
  }

  async kill(): Promise<void> {
    for (const { child } of this.#current.values()) {
      this.#expected.add(child);
      await child.kill();
    }
  }

  #start(name: Name): Writer {
    const { file, taskOf, onNews } = this.crew;
    const child = spawnStoppable({
      file,
      environment: { [TASK_VARIABLE]: JSON.stringify(taskOf(name)) },
      onMessage: (message) => {
        if (!isNews(message)) return;
        writer.news = message;
        onNews(name, message);
      },
    });
    const writer: Writer = { child, news: undefined };
    this.#all.push(writer);
    this.#current.set(name, writer);
    void child.ended.then(({ code, signal, output }) => {
      if (!this.#expected.has(child))
        this.problems.push(`writer ${name} ended by ${signal ?? `code ${String(code)}`}: ${output}`);
    });
    return writer;
  }

  #replace(name: Name): Writer {
    const writer = this.#current.get(name);
    if (writer === undefined) throw new Error(`there is no writer ${name}`);
    this.#expected.add(writer.child);
    return writer;
  }

  async #expectFenced({ child }: Writer): Promise<void> {
    const end = await Promise.race([child.ended, delay(FENCED_MS, undefined, { ref: false })]);
    if (end?.code === FENCED_EXIT) this.#fenced += 1;
    else if (end === undefined) this.problems.push('a copy that had lost its claim went on');
    else
      this.problems.push(
        `a copy that had lost its claim ended by ${end.signal ?? `code ${String(end.code)}`}: ${end.output}`,
      );
    await child.kill();
  }
}

async function until(condition: () => boolean, milliseconds: number): Promise<boolean> {
  const end = performance.now() + milliseconds;
  while (performance.now() < end) {
    if (condition()) return true;
    await delay(50);
  }
  return condition();
}
