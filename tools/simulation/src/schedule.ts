/** One schedule: what its seed stands for, from the first process to the last, with every invariant checked on the way. */
import { ClaimInvariants } from './claim-invariants.js';
import { CommitInvariants } from './commit-invariants.js';
import { History } from './history.js';
import { Incarnation } from './incarnation.js';
import { Network } from './network.js';
import { Oracle } from './oracle.js';
import { CALM, drawPlan, type Plan } from './plan.js';
import { listen, startProcess } from './process.js';
import { Random } from './random.js';
import { RunInvariants } from './run-invariants.js';
import { drained, Scheduler, type Actor } from './scheduler.js';
import type { Destination } from './sink.js';
import { Store } from './store.js';
import type { Happening, World } from './world.js';

export interface ScheduleResult {
  readonly seed: number;
  /** The first invariant that did not hold. */
  readonly violation: string | undefined;
  /** How many events happened. */
  readonly events: number;
  /** What happened at least once. */
  readonly happened: ReadonlySet<Happening>;
  /** What happened, line by line; empty unless asked for. */
  readonly trace: readonly string[];
}

/** More events than any schedule needs that comes to an end: the longest that were seen have 1,200. */
const MOST_EVENTS = 10_000;

/** Runs the schedule of `seed`. The same seed gives the same result, event by event. */
export async function runSchedule(seed: number, withTrace = false): Promise<ScheduleResult> {
  return await new Schedule(seed, withTrace).run();
}

class Schedule implements World {
  readonly random: Random;
  readonly plan: Plan;
  readonly oracle: Oracle;
  readonly scheduler = new Scheduler((actor) => this.#mishap(actor));
  readonly #history = new History();
  readonly #store: Store;
  readonly #destination: Destination;
  readonly #runs: RunInvariants;
  readonly #processes: Incarnation[] = [];
  readonly #trace: string[] = [];
  readonly #happened = new Set<Happening>();
  readonly #names = new Map<bigint, string>();
  #violation: string | undefined;
  /** What crashed processes do when they are released means nothing. */
  #isOver = false;

  constructor(
    private readonly seed: number,
    private readonly withTrace: boolean,
  ) {
    this.random = new Random(seed);
    this.plan = drawPlan(this.random);
    this.oracle = new Oracle(this.plan.mode, this.plan.logs);
    const store = new Store(this.plan.mode);
    const claims = new ClaimInvariants(this, store, this.#history);
    const commits = new CommitInvariants(this, store, this.#history, claims);
    this.#store = store;
    this.#destination = { network: new Network(this), store, claims, commits };
    this.#runs = new RunInvariants(this, store, this.#history);
  }

  isStormy(): boolean {
    return this.scheduler.now < CALM;
  }

  note(happening: Happening): void {
    if (!this.#isOver) this.#happened.add(happening);
  }

  trace(text: () => string): void {
    if (this.withTrace && !this.#isOver)
      this.#trace.push(`${String(this.scheduler.now).padStart(5)} ${text()}`);
  }

  violate(problem: string): void {
    this.trace(() => `VIOLATION: ${problem}`);
    if (!this.#isOver) this.#violation ??= problem;
  }

  name(kind: 'owner' | 'tx', id: bigint | null | undefined): string {
    if (id === null || id === undefined) return `no ${kind}`;
    const name = this.#names.get(id) ?? `${kind} ${this.#names.size + 1}`;
    this.#names.set(id, name);
    return name;
  }

  async run(): Promise<ScheduleResult> {
    const stopListening = listen(this.#runs);
    try {
      this.#scheduleFaults();
      await this.#drain();
      await this.#finish();
    } finally {
      stopListening();
      await this.#release();
    }
    return {
      seed: this.seed,
      violation: this.#violation,
      events: this.scheduler.step,
      happened: this.#happened,
      trace: this.#trace,
    };
  }

  /** Node keeps a signal that is made of others for as long as somebody listens: the processes that crashed still do. */
  async #release(): Promise<void> {
    this.#isOver = true;
    for (const process of this.#processes) process.release();
    await drained();
  }

  #scheduleFaults(): void {
    const { starts, stops, restores, replacedAt } = this.plan;
    for (const at of starts) this.scheduler.after(at, () => this.#start());
    for (const at of stops) this.scheduler.after(at, () => this.#stop());
    for (const { at, steps } of restores) {
      this.scheduler.after(at, () =>
        this.#disturb('restore', `the destination goes back by ${steps}`, () => this.#store.restore(steps)),
      );
    }
    if (replacedAt !== undefined) {
      this.scheduler.after(replacedAt, () =>
        this.#disturb('table replaced', 'the table is made again', () => this.#store.replaceTarget()),
      );
    }
  }

  /** Until nothing is left to happen: everything late has arrived, and every process has ended or crashed. */
  async #drain(): Promise<void> {
    await drained();
    while (this.#violation === undefined && (await this.scheduler.next())) {
      if (this.scheduler.step > MOST_EVENTS) this.violate('it does not come to an end');
    }
    const stuck = this.#processes.filter((process) => process.isAlive);
    if (stuck.length > 0) this.violate(`${stuck.map(({ name }) => name).join(', ')} waits for ever`);
  }

  /** With nothing failing and nobody else there, one process must get to the end. */
  async #finish(): Promise<void> {
    if (this.#violation !== undefined) return;
    this.scheduler.now = Math.max(this.scheduler.now, CALM);
    const last = this.#start();
    await this.#drain();
    const { positions, target } = this.#store;
    const isReplaced = [...positions.values()].some(
      (position) => position.epoch > 0n && position.target !== target,
    );
    const expected = isReplaced ? 'EOS_TARGET_CHANGED' : 'end';
    const end = last.end?.code ?? last.end?.reason;
    if (end !== expected) this.violate(`the last process ended with ${String(end)}, not with ${expected}`);
    for (const { partition } of this.plan.logs) {
      this.#destination.commits.checkTable(partition);
      const offset = positions.get(partition)?.offset ?? null;
      if (!isReplaced && !this.oracle.of(partition).isEnd(offset))
        this.violate(`${partition} is not at its end`);
    }
  }

  #start(): Incarnation {
    const process = new Incarnation(`process ${this.#processes.length + 1}`, this.scheduler.step);
    this.#processes.push(process);
    startProcess(this, this.#destination, process, this.#runs, () => this.#replace(process));
    return process;
  }

  /** A process that is gone is started again by whoever looks after it. */
  #replace(process: Incarnation): void {
    if (!this.isStormy() || process.end?.reason === 'end' || process.end?.code === 'EOS_TARGET_CHANGED')
      return;
    this.scheduler.after(this.random.integer(1, 150), () => void this.#start());
  }

  #stop(): void {
    const process = this.#processes.find(({ isAlive }) => isAlive);
    if (process === undefined) return;
    this.scheduler.after(
      0,
      () => {
        this.note('stop');
        this.trace(() => `${process.name} is asked to stop`);
        process.wasInterrupted = true;
        process.stop.abort();
      },
      process,
    );
  }

  #disturb(happening: Happening, what: string, act: () => void): void {
    this.note(happening);
    this.trace(() => what);
    this.#history.disturbedAt = this.scheduler.step;
    act();
    for (const { partition } of this.plan.logs) this.#destination.commits.checkTable(partition);
  }

  /** Before each event of a process: it may crash there, or stand still for a while. */
  #mishap(actor: Actor): void {
    if (!(actor instanceof Incarnation) || !this.isStormy()) return;
    if (this.plan.crash > 0 && this.random.chance(this.plan.crash)) {
      this.note('crash');
      this.trace(() => `${actor.name} crashes`);
      actor.isAlive = false;
      this.#replace(actor);
    } else if (
      this.plan.freeze > 0 &&
      actor.frozenUntil <= this.scheduler.now &&
      this.random.chance(this.plan.freeze)
    ) {
      actor.frozenUntil = this.scheduler.now + this.random.integer(10, 500);
      this.note('freeze');
      this.trace(() => `${actor.name} stands still until ${actor.frozenUntil}`);
    }
  }
}
